#include "tests/bench/window/timed_application.h"

#include <QElapsedTimer>
#include <QEvent>
#include <QWidget>
#include <algorithm>
#include <ctime>
#include <vector>

#include "ui/charts/chart.h"
#include "ui/views/map_canvas.h"
#include "ui/views/view.h"

namespace mla::ui {
namespace {

QByteArray name_of(QObject* receiver) {
  QByteArray name = receiver->metaObject()->className();
  return name.replace("mla::ui::", "");
}

/// What a map or a chart shows, told apart by the picture's identity or by the amount and the last of its points.
std::pair<quint64, double> shown_by(QObject* receiver) {
  if (const auto* map = qobject_cast<MapCanvas*>(receiver)) return {quint64(map->scene().picture.image.cacheKey()), 1};
  const auto* chart = qobject_cast<Chart*>(receiver);
  if (!chart || chart->data().series.empty()) return {};
  const QList<QPointF>& points = chart->data().series.front().points;
  return {quint64(points.size()), points.isEmpty() ? 0 : points.last().x()};
}

/// The view a widget belongs to, as exports name it.
QByteArray view_of(QObject* object) {
  for (; object; object = object->parent())
    if (const auto* view = qobject_cast<View*>(object)) return view->viewName().toUtf8();
  return "?";
}

}  // namespace

double thread_ms() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) * 1e3 + double(t.tv_nsec) * 1e-6;
}

bool TimedApplication::notify(QObject* receiver, QEvent* event) {
  if (depth_ > 0) return notify_inside(receiver, event);
  ++depth_;
  QElapsedTimer timer;
  timer.start();
  const double worked_before = thread_ms();
  const QByteArray what = name_of(receiver) + " event " + QByteArray::number(event->type());
  const bool handled = QApplication::notify(receiver, event);
  --depth_;
  note(what, double(timer.nsecsElapsed()) * 1e-6, thread_ms() - worked_before);
  return handled;
}

void TimedApplication::note(const QByteArray& what, double ms, double worked) {
  if (ms > longest_) {
    longest_ = ms;
    culprit_ = what;
  }
  if (worked > longest_work_) {
    longest_work_ = worked;
    hardest_ = what + parts_;
  }
  parts_.clear();
  total_ += worked;
  works_[what] += worked - painted_;
  painted_ = 0;
}

bool TimedApplication::notify_inside(QObject* receiver, QEvent* event) {
  return event->type() == QEvent::Paint ? notify_paint(receiver, event) : QApplication::notify(receiver, event);
}

bool TimedApplication::notify_paint(QObject* receiver, QEvent* event) {
  const double worked_before = thread_ms();
  const double painted_before = painted_;
  const bool handled = QApplication::notify(receiver, event);
  QByteArray name = name_of(receiver);
  if (QWidget* widget = qobject_cast<QWidget*>(receiver->parent())) name.prepend(name_of(widget) + "/");
  const double worked = thread_ms() - worked_before;
  works_["painting " + name] += worked - (painted_ - painted_before);
  painted_ = painted_before + worked;
  if (worked > 0.5) parts_ += ", " + name + " " + QByteArray::number(worked, 'f', 1);
  count_frame(receiver);
  return handled;
}

void TimedApplication::count_frame(QObject* receiver) {
  const auto shown = shown_by(receiver);
  if (shown.first == 0 || std::exchange(painted_what_[receiver], shown) == shown) return;
  ++frames_[view_of(receiver)];
}

void TimedApplication::reset() {
  longest_ = longest_work_ = total_ = 0;
  parts_.clear();
  works_.clear();
  frames_.clear();
}

QByteArray TimedApplication::works(double ms) const {
  std::vector<std::pair<double, QByteArray>> sorted;
  for (const auto& [name, work] : works_) sorted.emplace_back(work, name);
  std::sort(sorted.rbegin(), sorted.rend());
  QByteArray text;
  for (std::size_t i = 0; i < std::min<std::size_t>(10, sorted.size()); ++i)
    text += "  " + sorted[i].second + " " + QByteArray::number(sorted[i].first / ms * 100, 'f', 1) + " %";
  return text;
}

}  // namespace mla::ui
