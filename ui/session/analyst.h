#pragma once

#include <QObject>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/spec/experiment.h"
#include "ui/session/snapshot.h"

namespace mla::ui {

/// Measures how well a trained model predicts the held-out excerpt, beside the decode, on a thread of its own that gives way
/// to all others. What was measured once is remembered, by the settings that quality depends on.
class Analyst : public QObject {
  Q_OBJECT
 public:
  explicit Analyst(QObject* parent = nullptr);
  ~Analyst() override;  ///< cancels what runs and joins the thread

  /// What is known about the quality at these settings. Never waits.
  QualityReport report(const Experiment& experiment) const;
  /// Measures these settings once nothing else was wanted for a moment; what was wanted before and isn't any more is
  /// dropped.
  void want(const Experiment& experiment);

 signals:
  void changed();  ///< on this object's thread: a report may say something new

 private:
  struct Outcome {
    double bits_per_byte = 0;
    std::string error;
  };

  void loop(const std::stop_token& stop);
  bool wait_for_wish(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  void measure(const Experiment& experiment, const std::stop_token& stop);

  mutable std::mutex mutex_;
  std::condition_variable_any wished_;
  std::optional<Experiment> wish_;  // guarded, like all below
  quint64 wishes_ = 0;
  std::stop_source running_;
  std::map<std::string, Outcome> known_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace mla::ui
