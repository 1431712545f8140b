#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/engine/run.h"
#include "ui/session/attention_store.h"
#include "ui/session/growing_list.h"
#include "ui/session/session.h"
#include "ui/session/snapshot.h"

namespace mla::ui {

/// Gathers what one run shows: fed with traces as they come, it gives snapshots. The worker uses it, and so do pictures made
/// without a window. Not thread-safe; the snapshots are.
class SnapshotBuilder {
 public:
  /// Bytes of attention rows that are kept unless told otherwise.
  static constexpr std::int64_t kRowLimit = std::int64_t(256) << 20;

  /// `given`: how many positions after the experiment's synthetic ones are a prompt, not generated. `run`: Snapshot::run.
  SnapshotBuilder(const LoadedModel& model, const BackendInfo& backend, const AttentionRequest& request, int given = 0,
                  quint64 run = 1, std::int64_t row_limit = kRowLimit);

  /// What the decoder should record for this.
  TraceRequest trace_request() const;
  /// Adds the attention rows of a prefill.
  void add_prefill(const StepTrace& trace) { add_rows(trace.attention); }
  /// Adds one decode step: its measurements and its attention rows.
  void add_step(const StepTrace& trace);
  /// Adds rows that came after their step.
  void add_rows(const AttentionRows& rows) { attention_.add(rows); }
  /// The decoder's tokens() and positions() after that; without a vocabulary `tokens` is empty.
  void set_tokens(std::span<const int> tokens, int positions);
  /// Predicts the roofline of the steps that there are and of all to come.
  void set_ceilings(const Ceilings& ceilings);
  /// Whether most of the last 32 steps took less than predicted, which no step can.
  bool beats_roofline() const;
  /// Serves another request from what is recorded. False: the run must be prefilled again to have what it asks for.
  bool serve(const AttentionRequest& request);

  const Experiment& experiment() const { return base_.experiment; }
  std::shared_ptr<const std::vector<Step>> steps() { return steps_.share(); }
  /// This run's part of a snapshot, paused; other backends, pins and what is going on are for the caller to add.
  Snapshot build();
  /// The same, ready to be shown.
  SnapshotPtr snapshot() { return std::make_shared<const Snapshot>(build()); }

 private:
  double roofline(const Step& step) const;

  Vocabulary vocabulary_;
  Snapshot base_;  // what does not change from snapshot to snapshot
  bool rows_wanted_;
  int given_;
  GrowingList<Token> tokens_;
  GrowingList<Step> steps_;
  AttentionStore attention_;
};

}  // namespace mla::ui
