// What a device can do: that the loops do what is counted, and that the backend tells.
#include <algorithm>

#include "core/analysis/cost.h"
#include "gpu/cuda_backend.h"
#include "gpu/engine/device_ceilings.h"
#include "gpu/ops/peak.h"
#include "tests/gpu/attention_case.h"

namespace mla::gpu::testing {
namespace {

using CeilingsTest = DeviceTest;

TEST_F(CeilingsTest, EveryThreadOfALoopAddsUpAllRounds) {
  SKIP_UNDER_THREAD_SANITIZER();
  std::vector<PeakLoop> loops = matrix_peaks(facts_);
  EXPECT_FALSE(loops.empty());
  loops.push_back(fp32_peak());
  Stream stream;
  for (const PeakLoop& loop : loops) {
    const int blocks = 2, rounds = 3;
    const Array<float> sums(std::size_t(blocks) * loop.threads);
    loop.run(stream, blocks, rounds, 0.5f, sums.data());
    for (const float sum : to_host(stream, sums)) ASSERT_EQ(sum, 0.5f * loop.per_round * rounds) << loop.name;
  }
}

TEST_F(CeilingsTest, TheBackendTellsThemUnlessItIsStopped) {
  SKIP_UNDER_THREAD_SANITIZER();
  const auto backend = make_cuda_backend();
  const Ceilings ceilings = backend->measure_ceilings(0, {});
  EXPECT_TRUE(ceilings.measured());
  EXPECT_GT(ceilings.bf16_gflop_s, 0);
  EXPECT_EQ(ceilings.int8_gop_s, 0) << "no kernel multiplies bytes";
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_FALSE(backend->measure_ceilings(0, stopped.get_token()).measured());
}

/// Whether the model of a run takes its attention for work of the matrix units.
bool modelled_there(const Experiment& e, int positions) {
  const StepCost cost = positions == 1 ? decode_cost(e, 70) : prefill_cost(e, positions, true);
  return cost.bf16_operations[int(Stage::scores)] > 0;
}

void expect_as_planned(const DeviceFacts& facts, const Experiment& e, AttentionShape shape, int positions) {
  Stream stream;
  shape.positions = positions;
  const AttentionCase attention(stream, shape, 1);
  const std::string kernel = attention_kernel_of(facts, attention.problem());
  const bool units = kernel.starts_with("latent_decode") || kernel.starts_with("prefill_matrix");
  EXPECT_EQ(modelled_there(e, positions), units) << shape.text() << ": " << kernel;
}

TEST_F(CeilingsTest, TheModelOfARunKnowsWhatTheMatrixUnitsDo) {
  if (facts_.capability() < 80) GTEST_SKIP() << "which of this device are for fp16 alone";
  Experiment e = default_experiment();
  e.backend = "cuda";
  AttentionSpec& a = e.spec.attention;
  a.num_attention_heads = a.num_key_value_heads = 4;
  for (const int width : {16, 20})
    for (const CacheDtype dtype : {CacheDtype::fp32, CacheDtype::bf16, CacheDtype::fp8})
      for (const int positions : {1, 16}) {
        e.cache_dtype = dtype;
        a.kv_lora_rank = 2 * width;
        a.qk_nope_head_dim = a.v_head_dim = width;
        a.qk_rope_head_dim = 16;
        e.path = AttentionPath::absorbed;
        expect_as_planned(facts_, e, absorbed(4, 2 * width, 16, 70, dtype), positions);
        e.path = AttentionPath::expanded;
        expect_as_planned(facts_, e, expanded(4, width, 16, width, 70, dtype), positions);
      }
}

}  // namespace
}  // namespace mla::gpu::testing
