#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/backend.h"
#include "core/spec/experiment.h"
#include "core/spec/result.h"

namespace mla {

/// A setting and the values it takes in turn.
struct SweepAxis {
  std::string name;  ///< one of setting_names()
  std::vector<std::string> values;
};

/// One combination of values.
struct SweepPoint {
  std::vector<std::string> values;  ///< one an axis, in the order of the axes
  Experiment experiment;
};

/// All that is to be measured: `tokens` decode steps at each point.
struct SweepPlan {
  Experiment base;
  std::vector<SweepAxis> axes;
  std::vector<SweepPoint> points;  ///< the cartesian product, the last axis changing fastest
  int tokens = 0;
};

/// One decoded token.
struct SweepStep {
  int tokens = 0;                 ///< held in the cache after it
  std::int64_t cache_values = 0;  ///< elements, all layers and sequences that run
  std::int64_t cache_bytes = 0;
  double ms = 0;  ///< wall time of the step
};

/// What one point measured.
struct SweepRun {
  SweepPoint point;
  std::vector<SweepStep> steps;
  double median_ms = 0;
};

/// "kv-lora-rank=2,4,8". The error names the axis and what is wrong with it.
Result<SweepAxis> parse_axis(std::string_view text);

/// Every combination of the axes' values, each a valid experiment; the base alone without an axis. The error names the axis
/// and the value.
Result<std::vector<SweepPoint>> plan_points(const Experiment& base, const std::vector<SweepAxis>& axes);

/// The points, each of which holds its tokens in its context.
Result<SweepPlan> plan_sweep(const Experiment& base, const std::vector<SweepAxis>& axes, int tokens);

/// The backend that an experiment asks for.
using BackendChoice = std::function<Result<ComputeBackend*>(const Experiment&)>;

/// Runs every point in turn, sharing the weights that it can with the point before. Blocks that read text continue the
/// experiment's prompt, the others synthetic vectors. The first steps of every point are taken twice and measured the second
/// time, so that no point pays for cold memory. `finished` is called after each point.
Result<std::vector<SweepRun>> run_sweep(const SweepPlan& plan, const BackendChoice& backend_of,
                                        const std::function<void(const SweepRun&)>& finished = {},
                                        std::stop_token stop = {});

/// Columns: the axes, tokens, cache_values, cache_bytes, ms, seconds; a line for every step of every point.
std::string sweep_csv(const SweepPlan& plan, const std::vector<SweepRun>& runs);

/// The experiment, the axes and every point with its steps. Axis values are numbers where they are written as such.
std::string sweep_json(const SweepPlan& plan, const std::vector<SweepRun>& runs);

}  // namespace mla
