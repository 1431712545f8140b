#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/analysis/cost.h"
#include "core/analysis/crossings.h"
#include "core/engine/backend.h"

namespace mla {

/// What changes along a sweep.
enum class SweepKind {
  decode,   ///< cached tokens that one new token of every sequence attends to
  prefill,  ///< tokens of a prompt that is read at once
  batch,    ///< sequences decoded together, at one context
};
inline constexpr std::array kSweepKinds{SweepKind::decode, SweepKind::prefill, SweepKind::batch};
/// "decode", "prefill", "batch".
std::string_view name_of(SweepKind kind);

/// The paths that are compared, fastest to understand first: absorbed, expanded, re-expanded.
inline constexpr std::array kCrossoverPaths{AttentionPath::absorbed, AttentionPath::expanded, AttentionPath::reexpanded};

/// The attention of the running layers on one path at one size.
struct CrossoverPoint {
  AttentionPath path = AttentionPath::absorbed;
  int x = 0;               ///< tokens or sequences
  int steps = 0;           ///< that were measured
  double measured_ms = 0;  ///< median
  double modelled_ms = 0;  ///< the roofline of the work that the engine counts
  double residual() const { return measured_ms / modelled_ms; }
};

/// Where another of two paths becomes the faster one.
struct Crossing {
  AttentionPath before = AttentionPath::expanded, after = AttentionPath::absorbed;  ///< faster below and above
  double x = 0;
};

struct CrossoverSweep {
  SweepKind kind = SweepKind::decode;
  int tokens = 0;  ///< cached, where sequences change
  int batch = 0;   ///< sequences, where tokens change
  std::vector<CrossoverPoint> points;
  std::vector<Crossing> measured, modelled;
  std::string answer;  ///< in one or two sentences; empty while nothing is measured
  std::string note;    ///< what was left out, and why; empty where nothing was
};

/// Time of expanded, re-expanded and absorbed attention, measured beside its roofline.
struct Crossover {
  Experiment experiment;
  Ceilings ceilings;                                      ///< of the backend that ran it
  std::array<CrossoverSweep, kSweepKinds.size()> sweeps;  ///< in the order of kSweepKinds
  const CrossoverSweep& sweep(SweepKind kind) const { return sweeps[std::size_t(kind)]; }
};

/// Times of two paths closer than this ratio are no order.
inline constexpr double kCrossoverTie = 1.03;

/// How far the sweeps go.
struct CrossoverLimits {
  int first_tokens = 64;   ///< doubled from there up to the experiment's context …
  int most_prompt = 2048;  ///< … or this, for prompts, whose time grows with the square
  int batch_tokens = 1024;
  std::vector<int> batches{1, 2, 4, 8, 16};
  double enough_ms = 150;        ///< of steps of one path at one size, beyond the few that are always taken
  double longest_ms = 1500;      ///< a path stops growing where a step is expected to take longer
  bool measure_ceilings = true;  ///< false: those that are known are taken as they are
};

/// Refuses, in one sentence, an experiment without three paths from one cache: MHA, GQA, MQA.
Status check_crossover(const Experiment& experiment);

/// Called between two measurements with what there is so far and the fraction done, from the calling thread.
using CrossoverProgress = std::function<void(const Crossover& so_far, double fraction)>;

/// Measures the experiment's attention on the three paths: everything from the layers' normed input to the output
/// projection, in all layers that run, with the experiment's weights, cache type, threads and instruction set. Feed-forward,
/// embedding and logits, the same on every path, are left out. Decode: one new token of every sequence behind synthetic
/// cached rows. Prefill: synthetic vectors, all of whose outputs are computed. Paths take turns at every size, so that what
/// else the machine does meets all alike; within a turn each finds what it read last in the processor's caches.
///
/// `known`: ceilings of the backend that were measured before; they are measured again before and after, and the better
/// figures count. Errors, one sentence each: as check_crossover, not enough memory, cancelled.
Result<Crossover> measure_crossover(const Experiment& experiment, std::shared_ptr<const ModelWeights> weights,
                                    ComputeBackend& backend, const CrossoverLimits& limits = {}, const Ceilings& known = {},
                                    const CrossoverProgress& progress = {}, std::stop_token stop = {});

/// Models every point anew from the ceilings, and derives crossings and answers from the points.
void conclude(Crossover& crossover);

/// What of an experiment a crossover depends on, as text: not the path, the prompt or the sampling.
std::string crossover_key(const Experiment& experiment);

}  // namespace mla
