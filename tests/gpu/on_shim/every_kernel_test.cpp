// No kernel is there for nothing: each that the sources name is launched by the runs and shapes that are to need it.
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "tests/gpu/attention_case.h"
#include "tests/gpu/engine_pair.h"
#include "tests/gpu/shim/shim.h"

namespace mla::gpu::testing {
namespace {

/// The names in quotes where kernels are defined or named; what a comment or an instruction quotes is none.
std::set<std::string> named_kernels() {
  static const std::regex quoted("\"([a-z][a-z0-9]*(_[a-z0-9]+)*)\"");
  std::set<std::string> names;
  for (const char* folder : {"kernels", "ops"})
    for (const auto& entry : std::filesystem::directory_iterator(std::string(MLA_SOURCE_DIR) + "/gpu/" + folder)) {
      const std::string file = entry.path().filename().string();
      if (file.ends_with("_cuda.cuh") || !(file.ends_with(".cuh") || file.ends_with(".h"))) continue;
      std::ifstream source(entry.path());
      for (std::string line; std::getline(source, line);) {
        if (line.starts_with("//")) continue;
        for (std::sregex_iterator at(line.begin(), line.end(), quoted); at != std::sregex_iterator(); ++at)
          names.insert((*at)[1]);
      }
    }
  return names;
}

class EveryKernel : public ::testing::Test {
 protected:
  ~EveryKernel() override { shim::set_capability(9, 0); }

  void attend_to(const AttentionShape& shape, bool trace = false) {
    AttentionCase attention(stream_, shape, 1);
    attention.run(*find_device(), trace);
  }

  /// A prompt of so many tokens, then two.
  void decode(Experiment e, int prompt, TraceRequest trace = kTraceAll) {
    const auto model = load(e);
    ASSERT_TRUE(model) << model.error().message;
    const auto backend = make_cuda_backend();
    auto decoder = Decoder::create(e, *backend, model->weights);
    ASSERT_TRUE(decoder) << decoder.error().message;
    const std::vector<int> tokens(std::size_t(prompt), 3);
    ASSERT_TRUE((*decoder)->prefill(tokens, trace));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE((*decoder)->step(trace));
    (*decoder)->executor().cache_rows(0);
  }

  void decode_the_toy_block() {
    const Experiment e = toy_experiment();
    const auto model = load(e);
    ASSERT_TRUE(model);
    const auto backend = make_cuda_backend();
    run_on(*backend, e, model->weights, input_vectors(3, e.spec.attention.hidden_size, 1), {1}, kTraceAll);
  }

  Stream stream_;
};

Experiment small_decoder() {
  Experiment e = default_experiment();
  AttentionSpec& a = e.spec.attention;
  a.hidden_size = 32;
  a.num_attention_heads = a.num_key_value_heads = 3;
  a.qk_nope_head_dim = a.v_head_dim = 8;
  a.qk_rope_head_dim = 4;
  a.kv_lora_rank = 12;
  a.trained_kv_lora_rank = 16;
  e.spec.num_hidden_layers = e.layers = 2;
  e.spec.intermediate_size = 40;
  e.context = 64;
  return e;
}

TEST_F(EveryKernel, IsLaunchedBySomeRun) {
  if (kSanitized) GTEST_SKIP() << "its runs are those of other tests";
  LaunchLog log;
  for (const WeightsDtype dtype : {WeightsDtype::stored, WeightsDtype::bf16, WeightsDtype::int8}) {
    Experiment e = small_decoder();
    e.weights_dtype = dtype;
    decode(e, 20);
  }
  Experiment e = small_decoder();
  e.path = AttentionPath::expanded;
  decode(e, 2);
  e.spec.moe = MoeSpec{.n_routed_experts = 4, .num_experts_per_tok = 2, .moe_intermediate_size = 8, .n_shared_experts = 1};
  for (const int prompt : {1, 40}) decode(e, prompt, {});
  e.path = AttentionPath::reexpanded;
  decode(e, 2);
  decode_the_toy_block();
  for (const int heads : {16, 20, 40}) {
    for (const CacheDtype dtype : {CacheDtype::bf16, CacheDtype::fp16, CacheDtype::fp8})
      attend_to(absorbed(heads, 64, 16, 70, dtype));
    shim::set_capability(7, 5);
    attend_to(absorbed(heads, 64, 16, 70, CacheDtype::fp16));
    shim::set_capability(9, 0);
  }
  AttentionShape large = absorbed(64, 512, 64, 70, CacheDtype::bf16);
  large.page = PageLayout::tiles;
  attend_to(large, true);
  attend_to(grouped(4, 2, 16, 8, 70, CacheDtype::bf16));
  attend_to(grouped(4, 2, 13, 4, 70, CacheDtype::bf16));
  for (const CacheDtype dtype : {CacheDtype::fp32, CacheDtype::bf16}) {
    AttentionShape prompt = expanded(2, 16, 16, 16, 70, dtype);
    prompt.positions = 20;
    attend_to(prompt);
  }

  for (const int capability : {7, 9}) {
    shim::set_capability(capability, capability == 7 ? 5 : 0);
    make_cuda_backend()->measure_ceilings(0, {});
  }

  const std::set<std::string> launched(log.names().begin(), log.names().end());
  const std::set<std::string> named = named_kernels();
  EXPECT_GT(named.size(), 40u);
  for (const std::string& name : named) EXPECT_TRUE(launched.contains(name)) << name << " is never launched";
  for (const std::string& name : launched) EXPECT_TRUE(named.contains(name)) << name << " is defined elsewhere";
}

}  // namespace
}  // namespace mla::gpu::testing
