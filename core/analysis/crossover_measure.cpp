// How the sweeps of a crossover are measured.
#include <algorithm>
#include <chrono>
#include <new>
#include <thread>

#include "core/analysis/crossover_model.h"
#include "core/analysis/memory.h"
#include "core/engine/decoder.h"
#include "core/engine/thread_guard.h"
#include "core/spec/format.h"

namespace mla {
namespace {

constexpr int kTurnSteps = 8;  // that count, at most; the one before them does not
constexpr int kLeastSteps = 2;
constexpr int kLeastRounds = 2, kMostRounds = 64;  // turns of every path at every size
constexpr int kSlack = 2 * (kTurnSteps + 1);       // positions that the steps of two turns add

constexpr std::chrono::milliseconds kPause{40};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Doubled from `first` on, up to `last` itself; from a quarter of it where it is smaller than that.
std::vector<int> doubled(int first, int last) {
  std::vector<int> sizes;
  for (int size = std::min(first, std::max(1, last / 4)); size < last / 5 * 4; size *= 2) sizes.push_back(size);
  sizes.push_back(last);
  return sizes;
}

/// One path with its executor.
struct Lane {
  AttentionPath path = AttentionPath::absorbed;
  std::unique_ptr<Executor> executor;
  std::vector<double> ms{};  // at this size
  double spent = 0;          // on whole steps, of which attention is a part
  int steps = 0;             // that were taken
  double slower = 1;         // a whole step over the modelled attention, at the size before
  bool ended = false;
};

class Measurement {
 public:
  Measurement(const Experiment& experiment, const ModelWeights& weights, ComputeBackend& backend,
              const CrossoverLimits& limits, const CrossoverProgress& progress, std::stop_token stop)
      : weights_(attention_weights(weights, experiment.spec.block == BlockKind::toy)),
        backend_(backend),
        limits_(limits),
        progress_(progress),
        stop_(std::move(stop)) {
    out_.experiment = experiment;
  }

  Result<Crossover> run(const Ceilings& known) {
    if (Status planned = plan(); !planned) return planned.error();
    out_.ceilings = known;
    measure_ceilings_again();
    expect();
    for (CrossoverSweep& sweep : out_.sweeps)
      if (Status good = measure(sweep); !good) return good.error();
    lanes_.clear();
    measure_ceilings_again();
    if (stop_.stop_requested()) return Error{"cancelled"};
    conclude(out_);
    return std::move(out_);
  }

 private:
  std::vector<int>& sizes(SweepKind kind) { return sizes_[std::size_t(kind)]; }

  void measure_ceilings_again() {
    if (!limits_.measure_ceilings) return;
    out_.ceilings = higher_of(out_.ceilings, backend_.measure_ceilings(out_.experiment.threads, stop_));
  }

  /// The sizes of every sweep that fit.
  Status plan() {
    const Experiment& e = out_.experiment;
    sizes(SweepKind::decode) = doubled(limits_.first_tokens, e.context);
    sizes(SweepKind::prefill) = doubled(limits_.first_tokens, std::min(e.context, limits_.most_prompt));
    sizes(SweepKind::batch) = limits_.batches;
    for (const SweepKind kind : kSweepKinds) {
      CrossoverSweep& sweep = out_.sweeps[std::size_t(kind)];
      sweep.kind = kind;
      const bool batches = kind == SweepKind::batch;
      sweep.tokens = batches ? std::min(e.context, limits_.batch_tokens) : 0;
      sweep.batch = batches ? 0 : e.batch;
      if (Status fits = leave_out_what_does_not_fit(sweep); !fits) return fits;
    }
    return {};
  }

  void expect() {
    for (const CrossoverSweep& sweep : out_.sweeps)
      for (const int x : sizes(sweep.kind))
        for (const AttentionPath path : kCrossoverPaths) expected_ += expected(sweep, path, x);
  }

  Status leave_out_what_does_not_fit(CrossoverSweep& sweep) {
    std::vector<int>& all = sizes(sweep.kind);
    const double free = double(available_memory());
    const auto large = std::find_if(all.begin(), all.end(), [&](int x) { return needed(sweep, x) > free; });
    if (large == all.end()) return {};
    const std::string why = format_count(*large) + (sweep.kind == SweepKind::batch ? " sequences need " : " tokens need ") +
                            format_bytes(std::int64_t(needed(sweep, *large))) + ", " + format_bytes(std::int64_t(free)) +
                            " are free";
    if (large == all.begin()) return Error{"crossover: " + why + "; lower context, batch or layers"};
    sweep.note = "ends before " + why;
    all.erase(large, all.end());
    return {};
  }

  int batch_at(const CrossoverSweep& sweep, int x) const { return sweep.kind == SweepKind::batch ? x : sweep.batch; }
  int tokens_at(const CrossoverSweep& sweep, int x) const { return sweep.kind == SweepKind::batch ? sweep.tokens : x; }

  Experiment lane_experiment(const CrossoverSweep& sweep, AttentionPath path, int x) const {
    Experiment e = attention_of(out_.experiment, path, batch_at(sweep, x));
    e.context = tokens_at(sweep, x) + kSlack;
    return e;
  }

  /// Bytes of all three paths at once.
  double needed(const CrossoverSweep& sweep, int x) const {
    double bytes = 0;
    for (const AttentionPath path : kCrossoverPaths) {
      const MemoryNeed need = memory_need(lane_experiment(sweep, path, x));
      bytes += double(need.cache) + double(need.scratch);
      if (sweep.kind == SweepKind::prefill)  // vectors in and out
        bytes += 3.0 * 4 * x * batch_at(sweep, x) * out_.experiment.spec.attention.hidden_size;
      if (path == kCrossoverPaths.front()) bytes += std::max(0.0, double(need.weights) - double(weights_->held_bytes()));
    }
    return bytes;
  }

  /// Milliseconds that a path's turns at that size should take.
  double expected(const CrossoverSweep& sweep, AttentionPath path, int x) const {
    const double step = modelled_ms(out_, sweep, path, x);
    if (step > limits_.longest_ms) return 0;
    return std::max(kLeastRounds * (kLeastSteps + 1) * step, std::min(kMostRounds * kTurnSteps * step, limits_.enough_ms));
  }

  Status measure(CrossoverSweep& sweep) {
    lanes_.clear();
    for (const int x : sizes(sweep.kind)) {
      const bool anew = lanes_.empty() || sweep.kind == SweepKind::batch;
      const int largest = sweep.kind == SweepKind::batch ? x : sizes(sweep.kind).back();
      if (Status opened = anew ? open(sweep, largest) : Status(); !opened) return opened;
      if (Status measured = measure_point(sweep, x); !measured) return measured;
    }
    return {};
  }

  Status open(const CrossoverSweep& sweep, int x) {
    std::vector<Lane> before = std::move(lanes_);
    lanes_.clear();
    for (Lane& lane : before) lane.executor.reset();  // frees its cache before there is another
    for (std::size_t i = 0; i < kCrossoverPaths.size(); ++i) {
      auto executor = backend_.create(lane_experiment(sweep, kCrossoverPaths[i], x), weights_);
      if (!executor) return Error{"crossover: " + executor.error().message};
      lanes_.push_back({kCrossoverPaths[i], std::move(*executor)});
      if (i < before.size()) lanes_[i].slower = before[i].slower, lanes_[i].ended = before[i].ended;
    }
    return {};
  }

  Status measure_point(CrossoverSweep& sweep, int x) {
    for (Lane& lane : lanes_) end_where_slow(sweep, lane, x);
    make_inputs(sweep, x);
    for (int round = 0; round < kMostRounds; ++round)
      for (std::size_t i = 0; i < lanes_.size(); ++i) {
        Lane& lane = lanes_[(i + std::size_t(round)) % lanes_.size()];  // none is always the first
        const bool enough = round >= kLeastRounds && lane.spent >= limits_.enough_ms;
        if (Status good = lane.ended || enough ? Status() : turn(sweep, lane, x); !good) return good;
      }
    for (Lane& lane : lanes_) {
      done_ += expected(sweep, lane.path, x);
      if (lane.ended) continue;
      const double ms = median(lane.ms), modelled = modelled_ms(out_, sweep, lane.path, x);
      sweep.points.push_back({lane.path, x, int(lane.ms.size()), ms, modelled});
      if (modelled > 0) lane.slower = lane.spent / lane.steps / modelled;
      lane.ms.clear();
      lane.spent = 0;
      lane.steps = 0;
    }
    tell();
    return {};
  }

  /// And lets whoever is told draw it, rather than beside the next steps.
  void tell() {
    if (!progress_) return;
    progress_(out_, std::min(1.0, done_ / std::max(expected_, 1e-9)));
    std::this_thread::sleep_for(kPause);
  }

  /// As long as the size before makes expect.
  void end_where_slow(CrossoverSweep& sweep, Lane& lane, int x) {
    const double ms = lane.slower * modelled_ms(out_, sweep, lane.path, x);
    if (lane.ended || ms <= limits_.longest_ms) return;
    lane.ended = true;
    lane.executor->reset();
    if (!sweep.note.empty()) sweep.note += "; ";
    sweep.note += title_of(lane.path) + " ends before " + format_count(x) +
                  (sweep.kind == SweepKind::batch ? " sequences" : " tokens") + ", about " + format_ms(ms) + " a step";
  }

  /// [positions, batch, hidden_size]
  void make_inputs(const CrossoverSweep& sweep, int x) {
    const int d = out_.experiment.spec.attention.hidden_size, batch = batch_at(sweep, x);
    const int positions = sweep.kind == SweepKind::prefill ? x : 1;
    inputs_.resize(std::size_t(positions) * batch * d);
    for (int i = 0; i < positions * batch; ++i)
      synthetic_input(out_.experiment.seed, i / batch, i % batch, std::span(inputs_).subspan(std::size_t(i) * d, d));
  }

  /// Some steps of one path, of which the first only brings back what the others drove out of the caches.
  Status turn(const CrossoverSweep& sweep, Lane& lane, int x) {
    const int steps = std::clamp(tokens_at(sweep, x) / 8, kLeastSteps, kTurnSteps);  // few tokens stay about as few
    if (Status filled = sweep.kind == SweepKind::prefill ? Status() : fill(lane, tokens_at(sweep, x), steps + 1); !filled)
      return filled;
    double spent = 0;
    for (int step = 0; step <= kLeastSteps || (step <= steps && spent < limits_.enough_ms); ++step) {
      if (sweep.kind == SweepKind::prefill) lane.executor->reset();
      const auto start = std::chrono::steady_clock::now();
      const Result<double> ms = run_step(lane, sweep.kind == SweepKind::prefill ? x : 1);
      if (!ms) return ms.error();
      if (step > 0) lane.ms.push_back(*ms);
      spent += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
      ++lane.steps;
    }
    lane.spent += spent;
    return {};
  }

  /// Two turns' steps lie around that many cached tokens: one before, one behind.
  Status fill(Lane& lane, int tokens, int steps) {
    Executor& executor = *lane.executor;
    const int from = std::max(0, tokens - steps);
    if (executor.positions() > std::max(tokens, from + steps)) executor.reset();
    if (executor.positions() >= from) return {};
    return executor.fill_synthetic(from - executor.positions(), out_.experiment.seed);
  }

  Result<double> run_step(Lane& lane, int positions) {
    ForwardInput input;
    input.hidden = inputs_;
    input.count = positions;
    input.all_outputs = true;
    input.stop = stop_;
    const Result<ForwardOutput> output = lane.executor->forward(input);
    if (!output) return Error{"crossover: " + output.error().message};
    if (output->cancelled || stop_.stop_requested()) return Error{"cancelled"};
    return attention_ms(output->trace.stages);
  }

  std::shared_ptr<const ModelWeights> weights_;
  ComputeBackend& backend_;
  const CrossoverLimits& limits_;
  const CrossoverProgress& progress_;
  std::stop_token stop_;
  Crossover out_;
  std::array<std::vector<int>, kSweepKinds.size()> sizes_;
  std::vector<Lane> lanes_;
  std::vector<float> inputs_;
  double expected_ = 0, done_ = 0;
};

}  // namespace

Result<Crossover> measure_crossover(const Experiment& experiment, std::shared_ptr<const ModelWeights> weights,
                                    ComputeBackend& backend, const CrossoverLimits& limits, const Ceilings& known,
                                    const CrossoverProgress& progress, std::stop_token stop) {
  note_engine_call();
  if (Status good = check_crossover(experiment); !good) return good.error();
  try {
    return Measurement(experiment, *weights, backend, limits, progress, std::move(stop)).run(known);
  } catch (const std::bad_alloc&) {
    return Error{"crossover: out of memory; lower context, batch or layers"};
  }
}

}  // namespace mla
