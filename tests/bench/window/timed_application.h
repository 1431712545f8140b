#pragma once

#include <QApplication>
#include <map>
#include <utility>

namespace mla::ui {

/// Processor time of this thread in ms.
double thread_ms();

/// An application that notes how long its events take, and how often something new was painted. Times are of this thread, in
/// ms: those of work leave out when the thread had no core.
class TimedApplication : public QApplication {
 public:
  using QApplication::QApplication;
  bool notify(QObject* receiver, QEvent* event) override;

  /// Forgets what was noted so far.
  void reset();
  double longest() const { return longest_; }
  const QByteArray& culprit() const { return culprit_; }  ///< the event that took longest
  double longest_work() const { return longest_work_; }
  const QByteArray& hardest() const { return hardest_; }  ///< the event with most work, its paints named
  double total() const { return total_; }                 ///< ms of work
  /// What most of the work was, in percent of so many ms: events without the paints in them, and paints.
  QByteArray works(double ms) const;
  /// Paints that showed something new, by view: a map's picture, a chart's data.
  const std::map<QByteArray, int>& frames() const { return frames_; }

 private:
  bool notify_inside(QObject* receiver, QEvent* event);
  bool notify_paint(QObject* receiver, QEvent* event);
  void note(const QByteArray& what, double ms, double worked);
  void count_frame(QObject* receiver);

  double longest_ = 0, longest_work_ = 0, total_ = 0;
  QByteArray culprit_, hardest_;
  QByteArray parts_;  // of the event under way
  std::map<QByteArray, double> works_;
  std::map<QByteArray, int> frames_;
  std::map<QObject*, std::pair<quint64, double>> painted_what_;  // what each view showed last
  double painted_ = 0;                                           // ms of work in paints of the event under way
  int depth_ = 0;
};

}  // namespace mla::ui
