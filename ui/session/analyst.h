#pragma once

#include <QObject>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/model/model_catalog.h"
#include "core/spec/experiment.h"
#include "ui/session/snapshot.h"
#include "ui/session/study.h"
#include "ui/session/throttle.h"

namespace mla::ui {

/// Finds out about a trained model what its decode does not show, beside it, on a thread of its own that gives way to all
/// others. What was found once is remembered, by the settings that it depends on.
class Analyst : public QObject {
  Q_OBJECT
 public:
  /// `text`: what models are measured on; the held-out excerpt that comes with the program.
  explicit Analyst(QObject* parent = nullptr, Result<std::string> text = held_out_excerpt());
  ~Analyst() override;  ///< cancels what runs and joins the thread

  /// Finds this out once nothing else was wanted for a moment; what was wanted before and isn't any more is dropped.
  /// `weights`: those of a run with the same model, to be shared while they last.
  void want(const Subject& subject, const Topics& topics, std::weak_ptr<const ModelWeights> weights = {});

  /// Nothing begins before release(), what runs is stopped (and begun anew after it); returns when nothing runs or `stop` is
  /// requested. From any thread.
  void hold(const std::stop_token& stop);
  void release();

  /// What is known about the quality at these settings. Never waits.
  QualityReport report(const Experiment& experiment) const;
  /// What is known of what was wanted last, and what the rest waits for. Never waits.
  Findings findings() const;

 signals:
  void changed();  ///< on this object's thread: there may be more to say

 private:
  void loop(const std::stop_token& stop);
  bool wait_for_wish(std::unique_lock<std::mutex>& lock, const std::stop_token& stop);
  const Study* next() const;
  void study(std::unique_lock<std::mutex>& lock);
  void keep(const Study& study, Finding finding);
  std::shared_ptr<const Comparison> with_quality(Comparison comparison) const;
  void note_progress(double fraction);
  const Finding* find(const Study& study) const;
  QualityReport quality_of(const Experiment& experiment) const;
  QString note_on(const Study& study) const;
  Findings gather() const;
  void tell();

  const Result<std::string> text_;
  mutable std::mutex mutex_;
  std::condition_variable_any wished_;
  std::vector<Study> plan_;  // guarded, like all below
  std::vector<QualityPoint> curve_;
  std::vector<Study> curve_studies_;  // of its points
  Subject planned_for_;
  Topics planned_topics_;
  std::weak_ptr<const ModelWeights> weights_;
  Clock::time_point quiet_from_{};  // no other subject came since: a study may begin
  std::stop_source running_;
  std::string running_key_;  // empty: nothing runs
  double progress_ = 0;
  bool held_ = false;
  std::map<std::string, Finding> known_;
  mutable std::optional<Findings> gathered_;  // until there is something new
  std::jthread thread_;                       // last: it uses all of the above
};

}  // namespace mla::ui
