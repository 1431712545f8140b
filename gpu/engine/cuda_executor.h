#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/analysis/memory.h"
#include "core/engine/backend.h"
#include "gpu/engine/device_cache.h"
#include "gpu/engine/device_layer.h"
#include "gpu/engine/device_rope.h"
#include "gpu/engine/reexpansion.h"
#include "gpu/engine/stage_timer.h"
#include "gpu/engine/step_rows.h"
#include "gpu/engine/trace_copy.h"

namespace mla::gpu {

/// The engine on a GPU: core/engine/cpu_executor.h's counterpart. Weights, cache and everything between them stay in device
/// memory; tokens (or vectors) go there, logits (or vectors) and the attention rows that were asked for come back. A failure
/// frees all of it; what comes next begins anew.
class CudaExecutor : public Executor {
 public:
  struct Options {
    bool graphs = true;  ///< whether decode steps are captured and launched as one
  };
  CudaExecutor(const Experiment& experiment, const DeviceFacts& device, std::shared_ptr<WeightStore> store,
               std::shared_ptr<const ModelWeights> weights, Options options);
  ~CudaExecutor() override;

  /// Device memory that the experiment's full context takes, weights left out.
  static MemoryNeed need(const Experiment& experiment, const DeviceFacts& device, const ModelWeights& weights);
  /// Copies the weights to the device now. Errors: as those of forward().
  Status prepare();

  Result<ForwardOutput> forward(const ForwardInput& input) override;
  Result<AttentionRows> late_rows() override;
  Status fill_synthetic(int count, std::uint64_t seed) override;
  void reset() override;
  int positions() const override { return positions_; }
  std::vector<float> cache_rows(int layer) const override;
  void keep_latents(bool keep) override { keep_latents_ = keep; }

 private:
  struct Device;
  struct Chunk;
  struct Key;
  struct InputPlaces;
  struct OutputPlaces;

  bool uncached() const { return experiment_.path == AttentionPath::uncached; }
  bool latents_lost() const { return uncached() || experiment_.path == AttentionPath::expanded; }
  bool keeps_rows() const { return keep_latents_ && experiment_.spec.attention.is_mla() && latents_lost(); }
  int batch() const { return experiment_.batch; }
  int hidden_size() const { return experiment_.spec.attention.hidden_size; }
  Status guarded(const std::function<void()>& body);
  Device& device();

  void run(const ForwardInput& input, ForwardOutput& output);
  Chunk next_chunk(const ForwardInput& input, int first, int done, int total) const;
  void remember(const ForwardInput& input, ForwardOutput& output);
  bool run_chunk(Chunk& chunk, ForwardOutput& output);
  static InputPlaces inputs_of(const Chunk& chunk);
  void stage(const int (&positions)[2], const Chunk& chunk);
  bool can_capture() const;
  Key key_of(const Chunk& chunk) const;
  bool run_step(Chunk& chunk, ForwardOutput& output);
  bool run_now(Chunk& chunk, ForwardOutput& output);
  bool run_pass(Chunk& chunk, ForwardOutput& output);
  const StageTimer* launch_step(Chunk& chunk, ForwardOutput& output);
  void fetch_rows(bool all);
  void capture(Chunk& chunk, const Key& key);
  std::vector<int> traced_layers(const Chunk& chunk) const;
  TraceShape trace_shape(const Chunk& chunk) const;
  OutputPlaces places_of(const Chunk& chunk) const;
  void collect(const Chunk& chunk, ForwardOutput& output);
  AttentionProblem asked_of(int l, const Chunk& chunk) const;
  double scores_share(int l, const Chunk& chunk) const;
  Work attention_work(const Chunk& chunk) const;
  std::int64_t expert_work(const Chunk& chunk) const;

  bool launch(Chunk& chunk, StageTimer& timer, DeviceCompute& compute);
  void launch_inputs(Chunk& chunk, DeviceCompute& compute);
  void launch_layer(int l, Chunk& chunk, StageTimer& timer, DeviceCompute& compute);
  float* attend(int l, const Chunk& chunk, float* normed, StageTimer& timer, DeviceCompute& compute);
  float* sums_of(int l, const Chunk& chunk, const DeviceQueries& queries, DeviceCompute& compute);
  void launch_outputs(const Chunk& chunk, DeviceCompute& compute);
  void launch_choice(const Chunk& chunk, const float* logits, DeviceCompute& compute);

  void fill_cache(int count, std::uint64_t seed);
  void remember_synthetic(int count, std::uint64_t seed);
  float* room_for_inputs(int count);
  void keep_rows(int l, const float* rows, int count);
  void keep_uncached_rows();
  std::vector<float> rows_of(int layer) const;

  Experiment experiment_;
  DeviceFacts facts_;
  std::shared_ptr<WeightStore> store_;
  std::shared_ptr<const ModelWeights> weights_;
  Options options_;
  std::unique_ptr<AttentionLayer> shape_;  // layouts and counts
  std::unique_ptr<DeviceLayer> layer_;
  KvCache empty_;                            // of the cache's format: what the counts are about
  std::unique_ptr<Device> device_;           // everything on the device
  std::vector<std::vector<float>> latents_;  // [layers] rows kept aside
  int positions_ = 0;
  bool keep_latents_ = false;
  AttentionRows arrived_;  // of steps, that no pass has given yet
};

}  // namespace mla::gpu
