#include "ui/session/snapshot_builder.h"

#include <algorithm>

namespace mla::ui {
namespace {

/// The layer asked for, or the last one that runs.
int layer_within(const Experiment& experiment, int layer) {
  return std::clamp(layer, 0, std::max(0, experiment.layers - 1));
}

}  // namespace

SnapshotBuilder::SnapshotBuilder(const LoadedModel& model, const BackendInfo& backend, const AttentionRequest& request,
                                 int given, quint64 run, std::int64_t row_limit)
    : vocabulary_(model.vocabulary),
      rows_wanted_(request.rows),
      given_(given),
      attention_(layer_within(model.experiment, request.layer), request.value, row_limit) {
  base_.run = run;
  base_.experiment = model.experiment;
  base_.state = Snapshot::State::paused;
  base_.random_weights = model.weights->random;
  base_.weight_bytes = model.weights->bytes();
  base_.weights = model.weights;
  base_.backend = backend;
  base_.backends = {backend};
}

TraceRequest SnapshotBuilder::trace_request() const {
  return {rows_wanted_ ? TraceRequest::Layers::one : TraceRequest::Layers::none, attention_.layer()};
}

void SnapshotBuilder::add_step(const StepTrace& trace) {
  add_rows(trace.attention);
  Step step;
  step.tokens = trace.position + 1;
  step.ms = trace.ms;
  step.stages = trace.stages;
  step.split = trace.split;
  step.cache_bytes = trace.cache_bytes;
  step.cache_allocated_bytes = trace.cache_allocated_bytes;
  step.work = trace.work;
  step.roofline_ms = roofline(step);
  steps_.edit().push_back(step);
}

void SnapshotBuilder::set_tokens(std::span<const int> tokens, int positions) {
  std::vector<Token>& list = tokens_.edit();
  const std::size_t synthetic = base_.experiment.prefill;
  const std::size_t total = tokens.empty() ? std::size_t(positions) : synthetic + tokens.size();
  // The token chosen last is still open: another prefill chooses it again.
  list.resize(std::min(total, list.empty() ? 0 : list.size() - 1));
  for (std::size_t i = list.size(); i < total; ++i) {
    const bool generated = i >= synthetic + given_;
    if (tokens.empty() || i < synthetic) {
      list.push_back({-1, "x" + std::to_string(i), generated});
    } else {
      const int id = tokens[i - synthetic];
      list.push_back({id, vocabulary_.display(id), generated});
    }
  }
}

bool SnapshotBuilder::serve(const AttentionRequest& request) {
  attention_.set_value(request.value);
  const bool missing =
      request.rows && (!rows_wanted_ || layer_within(base_.experiment, request.layer) != attention_.layer());
  if (!missing) rows_wanted_ = request.rows;
  return !missing;
}

double SnapshotBuilder::roofline(const Step& step) const {
  if (!base_.ceilings.measured()) return 0;
  return roofline_ms(decode_cost(base_.experiment, step.tokens - 1), base_.ceilings);
}

void SnapshotBuilder::set_ceilings(const Ceilings& ceilings) {
  base_.ceilings = ceilings;
  for (Step& step : steps_.edit()) step.roofline_ms = roofline(step);
}

bool SnapshotBuilder::beats_roofline() const {
  constexpr std::ptrdiff_t last = 32;
  const std::vector<Step>& steps = steps_.items();
  if (std::ssize(steps) < last) return false;
  const auto beats = [](const Step& step) { return step.ms < step.roofline_ms; };
  return std::count_if(steps.end() - last, steps.end(), beats) > last / 2;
}

Snapshot SnapshotBuilder::build() {
  Snapshot snapshot = base_;
  snapshot.tokens = tokens_.share();
  snapshot.steps = steps_.share();
  snapshot.attention = attention_.history();
  const std::int64_t thumbnails = attention_.thumbnail_bytes();
  snapshot.history_bytes = snapshot.attention.bytes + thumbnails + tokens_.bytes() + steps_.bytes();
  snapshot.history_limit_bytes =
      snapshot.attention.limit_bytes + thumbnails +
      (GrowingList<Token>::kMostPerItem + GrowingList<Step>::kMostPerItem) * base_.experiment.context;
  return snapshot;
}

}  // namespace mla::ui
