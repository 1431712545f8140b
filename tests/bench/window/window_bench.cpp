#include "tests/bench/window/window_bench.h"

#include <QDockWidget>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QMouseEvent>
#include <QSlider>
#include <QStyle>
#include <QStyleOptionSlider>
#include <QTimer>
#include <algorithm>
#include <cstdio>

#include "core/engine/thread_guard.h"
#include "ui/controls/experiment_panel.h"
#include "ui/views/attention_view.h"
#include "ui/window/panes.h"

namespace mla::ui {
namespace {

std::vector<std::unique_ptr<ComputeBackend>> backends() {
  std::vector<std::unique_ptr<ComputeBackend>> list;
  list.push_back(make_cpu_backend());
  return list;
}

QPoint handle(QSlider* slider) {
  QStyleOptionSlider option;
  option.initFrom(slider);
  option.minimum = slider->minimum();
  option.maximum = slider->maximum();
  option.sliderPosition = option.sliderValue = slider->value();
  option.orientation = slider->orientation();
  return slider->style()->subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderHandle, slider).center();
}

void mouse(QWidget* widget, QEvent::Type type, QPoint at) {
  const Qt::MouseButton button = type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton;
  const Qt::MouseButtons down = type == QEvent::MouseButtonRelease ? Qt::NoButton : Qt::LeftButton;
  QMouseEvent event(type, at, widget->mapToGlobal(at), button, down, Qt::NoModifier);
  QApplication::sendEvent(widget, &event);
}

}  // namespace

WindowBench::WindowBench(TimedApplication& app)
    : app_(app), session_(backends()), window_(session_, settings_.filePath("settings.ini")) {
  forbid_engine_on_this_thread();
  window_.resize(1440, 900);
  window_.show();
}

void WindowBench::open_every_view() {
  window_.resize(1920, 1080);
  for (QDockWidget* dock : window_.panes().docks()) {
    dock->setVisible(true);
    if (window_.tabifiedDockWidgets(dock).empty()) continue;
    window_.addDockWidget(window_.dockWidgetArea(dock), dock);  // in a place of its own
  }
  settle(300);
  for (const View* view : window_.views())
    if (!view->isVisible()) std::printf("(not in sight: %s)\n", qPrintable(view->viewName()));
}

int WindowBench::held() const {
  const auto& s = *session_.snapshot();
  return s.tokens ? int(s.tokens->size()) : 0;
}

bool WindowBench::reach(const Experiment& experiment, int tokens) {
  session_.setSpeed(0);
  session_.setExperiment(experiment);
  session_.play();
  return run_until([&] { return session_.snapshot()->experiment == experiment && held() >= tokens; }, 120000);
}

void WindowBench::drag(const char* name, Experiment experiment, int tokens) {
  experiment.sampling.temperature = 1;
  reach(experiment, 1);
  session_.setSpeed(100);  // slow enough to be stopped at the wanted history
  run_until([&] { return held() >= tokens; }, 20000);
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
    times.push_back(double(timer.nsecsElapsed()) * 1e-6);
    settle(30);
  }
  mouse(slider, QEvent::MouseButtonRelease, QPoint(slider->width() / 2, slider->height() / 2));
  std::sort(times.begin(), times.end());
  if (times.empty()) return;
  std::printf(
      "%-26s %4d tokens: slider to painted token median %6.1f ms, worst %6.1f ms (%zu moves); longest event %5.1f ms "
      "(%s; %.1f ms of work at most)\n",
      name, held(), times[times.size() / 2], times.back(), times.size(), app_.longest(), app_.culprit().constData(),
      app_.longest_work());
}

void WindowBench::decode(const char* name, Experiment experiment, int tokens, int ms) {
  if (!reach(experiment, tokens)) return;
  settle(300);
  const int before = held();
  app_.reset();
  QElapsedTimer timer;
  timer.start();
  settle(ms);
  report(name, "full speed", double(timer.nsecsElapsed()) * 1e-6, held() - before);
}

void WindowBench::pan(const char* name, int ms) {
  session_.pause();
  settle(200);
  auto* canvas = window_.findChild<MapCanvas*>();
  canvas->zoom(4);
  settle(200);
  app_.reset();
  const QPoint middle = canvas->rect().center();
  QTimer moves;
  int frame = 0;
  mouse(canvas, QEvent::MouseButtonPress, middle);
  QObject::connect(&moves, &QTimer::timeout, canvas, [&] {
    ++frame;  // up and left on a zigzag, so that it never stands still
    mouse(canvas, QEvent::MouseMove, middle + QPoint(frame % 200 < 100 ? frame % 100 : 100 - frame % 100, frame % 60) * 2);
  });
  moves.setTimerType(Qt::PreciseTimer);
  moves.start(16);
  settle(ms);
  moves.stop();
  mouse(canvas, QEvent::MouseButtonRelease, middle);
  report(name, "map dragged", ms, 0);
  canvas->resetView();
}

void WindowBench::report(const char* name, const char* doing, double ms, int tokens) const {
  std::printf(
      "%-26s %s: window's thread works %4.1f %%, longest event %5.1f ms (%s; %.1f ms of work at most), %d tokens held, "
      "%.0f a second\n  new pictures a second:",
      name, doing, app_.total() / ms * 100, app_.longest(), app_.culprit().constData(), app_.longest_work(), held(),
      tokens / ms * 1e3);
  for (const auto& [view, count] : app_.frames()) std::printf(" %s %.1f", view.constData(), count / ms * 1e3);
  std::printf("\n  of that:%s\n  most work: %s\n", app_.works(ms).constData(), app_.hardest().constData());
}

template <class Done>
bool WindowBench::run_until(Done done, int ms) {
  QElapsedTimer timer;
  timer.start();
  QTimer wake;  // should nothing else happen
  wake.start(50);
  while (!done() && timer.elapsed() < ms) app_.processEvents(QEventLoop::WaitForMoreEvents);
  if (!done()) std::printf("(timed out with %d tokens)\n", held());
  return done();
}

void WindowBench::settle(int ms) {
  QEventLoop loop;
  QTimer::singleShot(ms, Qt::PreciseTimer, &loop, &QEventLoop::quit);
  loop.exec();
}

}  // namespace mla::ui
