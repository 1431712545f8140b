// How fast the window answers: from a slider's move (button still down) to a painted token with the new dimension, and the
// longest time that anything takes on the window's thread. Prints medians; needs no display (QT_QPA_PLATFORM=offscreen).
#include <QApplication>
#include <QElapsedTimer>
#include <QMouseEvent>
#include <QStyle>
#include <QStyleOptionSlider>
#include <QTemporaryDir>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>

#include "core/engine/run.h"
#include "core/engine/thread_guard.h"
#include "core/spec/presets.h"
#include "ui/controls/experiment_panel.h"
#include "ui/window/main_window.h"

namespace mla::ui {
namespace {

/// Processor time of this thread in ms.
double thread_ms() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) * 1e3 + double(t.tv_nsec) * 1e-6;
}

/// An application that notes how long its events take.
class TimedApplication : public QApplication {
 public:
  using QApplication::QApplication;
  bool notify(QObject* receiver, QEvent* event) override {
    if (depth_ > 0)
      return event->type() == QEvent::Paint ? notify_paint(receiver, event) : QApplication::notify(receiver, event);
    ++depth_;
    QElapsedTimer timer;
    timer.start();
    const double worked_before = thread_ms();
    const QByteArray who = receiver->metaObject()->className();
    const int type = event->type();
    const bool handled = QApplication::notify(receiver, event);
    --depth_;
    const double ms = timer.nsecsElapsed() * 1e-6;
    if (ms > longest) {
      longest = ms;
      culprit = who + " event " + QByteArray::number(type);
    }
    const double worked = thread_ms() - worked_before;
    if (worked > longest_work) {
      longest_work = worked;
      hardest = who + " event " + QByteArray::number(type) + parts_;
    }
    parts_.clear();
    total += worked;
    works_[who + " event " + QByteArray::number(type)] += worked - painted_;
    painted_ = 0;
    return handled;
  }
  /// Forgets what was noted so far.
  void reset() {
    longest = longest_work = total = 0;
    parts_.clear();
    works_.clear();
  }
  /// What most of the work was, in percent of so many ms: events without the paints in them, and paints.
  QByteArray works(double ms) const {
    std::vector<std::pair<double, QByteArray>> sorted;
    for (const auto& [name, work] : works_) sorted.emplace_back(work, name);
    std::sort(sorted.rbegin(), sorted.rend());
    QByteArray text;
    for (std::size_t i = 0; i < std::min<std::size_t>(10, sorted.size()); ++i)
      text += "  " + sorted[i].second + " " + QByteArray::number(sorted[i].first / ms * 100, 'f', 1) + " %";
    return text;
  }
  double longest = 0;                  // ms
  double longest_work = 0, total = 0;  // ms of work, without the time in which the thread had no core
  QByteArray culprit, hardest;

 private:
  bool notify_paint(QObject* receiver, QEvent* event) {
    const double worked_before = thread_ms();
    const double painted_before = painted_;
    const bool handled = QApplication::notify(receiver, event);
    QByteArray name = receiver->metaObject()->className();
    if (const QWidget* widget = qobject_cast<QWidget*>(receiver->parent()))
      name.prepend(QByteArray(widget->metaObject()->className()) + "/");
    const double worked = thread_ms() - worked_before;
    works_["painting " + name] += worked - (painted_ - painted_before);
    painted_ = painted_before + worked;
    if (worked > 0.5) parts_ += ", " + name + " " + QByteArray::number(worked, 'f', 1);
    return handled;
  }
  QByteArray parts_;  // of the event under way
  std::map<QByteArray, double> works_;
  double painted_ = 0;  // ms of work in paints of the event under way
  int depth_ = 0;
};

class Bench {
 public:
  explicit Bench(TimedApplication& app)
      : app_(app), session_(backends()), window_(session_, settings_.filePath("settings.ini")) {
    forbid_engine_on_this_thread();
    window_.resize(1440, 900);
    window_.show();
  }

  /// Drags the latent slider back and forth; returns milliseconds from each move to the painted token.
  void drag(const char* name, Experiment experiment, int tokens) {
    experiment.sampling.temperature = 1;
    session_.setSpeed(0);
    session_.setExperiment(experiment);
    session_.play();
    run_until([&] { return session_.snapshot()->experiment == experiment && held() >= tokens; }, 60000);
    session_.setSpeed(20);
    settle(500);
    app_.reset();
    std::vector<double> times;
    auto* control = qobject_cast<DimensionSlider*>(window_.experimentPanel().control("kv-lora-rank"));
    QSlider* slider = control->slider();
    mouse(slider, QEvent::MouseButtonPress, handle(slider));
    for (int i = 0; i < 40; ++i) {
      const int before = control->value();
      const QPoint at(i % 2 ? slider->width() / 4 + i : slider->width() * 2 / 3 - i, slider->height() / 2);
      QElapsedTimer timer;
      timer.start();
      mouse(slider, QEvent::MouseMove, at);
      if (control->value() == before) continue;
      const int rank = control->value();
      run_until(
          [&] {
            const auto& s = *session_.snapshot();
            return s.experiment.spec.attention.kv_lora_rank == rank && s.steps && !s.steps->empty();
          },
          20000);
      app_.processEvents();
      QApplication::sendPostedEvents();
      window_.repaint();
      times.push_back(timer.nsecsElapsed() * 1e-6);
      settle(30);
    }
    mouse(slider, QEvent::MouseButtonRelease, QPoint(slider->width() / 2, slider->height() / 2));
    std::sort(times.begin(), times.end());
    std::printf(
        "%-28s %3d tokens: slider to painted token median %6.1f ms, worst %6.1f ms (%zu moves); longest event %5.1f ms "
        "(%s; %.1f ms of work at most)\n",
        name, held(), times[times.size() / 2], times.back(), times.size(), app_.longest, app_.culprit.constData(),
        app_.longest_work);
  }

  /// Decodes at full speed and says how busy the window's thread is.
  void decode(const char* name, int ms) {
    session_.setSpeed(0);
    session_.play();
    settle(200);
    app_.reset();
    settle(ms);
    std::printf(
        "%-28s full speed: window's thread works %4.1f %%, longest event %5.1f ms (%s; %.1f ms of work at most), %d tokens "
        "held\n",
        name, app_.total / ms * 100, app_.longest, app_.culprit.constData(), app_.longest_work, held());
    std::printf("  of that:%s\n  most work: %s\n", app_.works(ms).constData(), app_.hardest.constData());
  }

 private:
  static std::vector<std::unique_ptr<ComputeBackend>> backends() {
    std::vector<std::unique_ptr<ComputeBackend>> list;
    list.push_back(make_cpu_backend());
    return list;
  }
  int held() const {
    const auto& s = *session_.snapshot();
    return s.tokens ? int(s.tokens->size()) : 0;
  }
  static QPoint handle(QSlider* slider) {
    QStyleOptionSlider option;
    option.initFrom(slider);
    option.minimum = slider->minimum();
    option.maximum = slider->maximum();
    option.sliderPosition = option.sliderValue = slider->value();
    option.orientation = slider->orientation();
    return slider->style()->subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderHandle, slider).center();
  }
  static void mouse(QWidget* widget, QEvent::Type type, QPoint at) {
    const Qt::MouseButton button = type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton;
    const Qt::MouseButtons down = type == QEvent::MouseButtonRelease ? Qt::NoButton : Qt::LeftButton;
    QMouseEvent event(type, at, widget->mapToGlobal(at), button, down, Qt::NoModifier);
    QApplication::sendEvent(widget, &event);
  }
  // Both sleep while there is nothing to do, as the program does: a loop that polls would take a core from the engine.
  template <class Done>
  void run_until(Done done, int ms) {
    QElapsedTimer timer;
    timer.start();
    QTimer wake;  // should nothing else happen
    wake.start(50);
    while (!done() && timer.elapsed() < ms) app_.processEvents(QEventLoop::WaitForMoreEvents);
    if (!done()) std::printf("(timed out)\n");
  }
  void settle(int ms) {
    QEventLoop loop;
    QTimer::singleShot(ms, &loop, &QEventLoop::quit);
    loop.exec();
  }

  TimedApplication& app_;
  QTemporaryDir settings_;
  Session session_;
  MainWindow window_;
};

}  // namespace
}  // namespace mla::ui

int main(int argc, char** argv) {
  if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM") && qEnvironmentVariableIsEmpty("DISPLAY"))
    qputenv("QT_QPA_PLATFORM", "offscreen");
  mla::ui::TimedApplication app(argc, argv);
  mla::ui::Bench bench(app);
  bench.drag("random block d=512", mla::default_experiment(), 160);
  bench.decode("random block d=512", 3000);
  bench.drag("tutorial d=4096", mla::experiment_from(*mla::find_preset("tutorial")), 160);
  std::printf("engine calls on the window's thread: %d\n", mla::engine_calls_on_forbidden_thread());
  return 0;
}
