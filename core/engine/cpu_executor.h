#pragma once

#include <memory>
#include <vector>

#include "core/attention/attention_layer.h"
#include "core/attention/one_pass.h"
#include "core/attention/prefill.h"
#include "core/engine/backend.h"
#include "core/engine/stage_clock.h"

namespace mla {

/// The engine on the CPU: layers one after the other, products shared among the pool's threads.
class CpuExecutor : public Executor {
 public:
  CpuExecutor(const Experiment& experiment, const Kernels& kernels, std::shared_ptr<const ModelWeights> weights);

  Result<ForwardOutput> forward(const ForwardInput& input) override;
  Status fill_synthetic(int count, std::uint64_t seed) override;
  void reset() override;
  int positions() const override { return positions_; }
  std::vector<float> cache_rows(int layer) const override;
  void keep_latents(bool keep) override { keep_latents_ = keep; }

 private:
  /// Some consecutive positions on their way through the layers.
  struct Chunk {
    int first = 0;         ///< position of the first
    int count = 0;         ///< per sequence
    int new_from = 0;      ///< index of the first that is not merely recomputed
    bool last = false;     ///< ends the pass: its last position needs an output
    bool outputs = false;  ///< all new positions need one
    TraceRequest trace;
    RopeTable rope;
    std::vector<float> hidden;  // [count, batch, d]
  };

  bool uncached() const { return experiment_.path == AttentionPath::uncached; }
  int batch() const { return experiment_.batch; }
  void run_pass(const ForwardInput& input, int first, StageClock& clock, ForwardOutput& output);
  void run_layer(int l, Chunk& chunk, StageClock& clock, StepTrace& trace);
  void attend_once(const AttentionProblem& problem, const AttentionWeights& weights, int seen, std::vector<float>& out,
                   StageClock& clock, StepTrace& trace);
  void count_and_share(const AttentionProblem& problem, const StageSeconds& times, StageClock& clock);
  void attend_unseen(const AttentionProblem& problem, const AttentionWeights& weights, std::vector<float>& out,
                     StageClock& clock);
  void project(const AttentionWeights& weights, const std::vector<float>& sums, int rows, std::vector<float>& out,
               StageClock& clock);
  void attend(int l, Chunk& chunk, int from, const float* normed, std::vector<float>& out, StageClock& clock,
              StepTrace& trace);
  void feed_forward(int l, std::vector<float>& hidden, int rows);
  void append_synthetic_inputs(int count, std::uint64_t seed);
  void fill_cache(KvCache& cache, int count, std::uint64_t seed, int sequence);
  void collect(const Chunk& chunk, StageClock& clock, ForwardOutput& output);
  void drop_cache();
  std::vector<float> rows_of(const KvCache& cache) const;
  ForwardInput remembered(const ForwardInput& input);
  void embed_rows(const ForwardInput& input, std::size_t first, std::size_t rows, float* out);
  bool latents_lost() const { return uncached() || experiment_.path == AttentionPath::expanded; }

  Experiment experiment_;
  std::shared_ptr<const ModelWeights> weights_;
  ThreadPool pool_;
  Compute compute_;
  std::unique_ptr<AttentionLayer> attention_;
  AttentionKernel kernel_;
  OnePassAttention one_pass_;
  PrefillAttention prefill_;
  std::vector<std::vector<KvCache>> caches_;  // [layers][batch]
  std::vector<std::vector<float>> latents_;   // [layers] rows kept aside
  std::vector<float> inputs_;                 // uncached: all inputs so far, [positions, batch, d]
  int positions_ = 0;
  bool keep_latents_ = false;
};

}  // namespace mla
