// Which kernel an attention runs on which device, and that it gives what it should there.
#include <map>

#include "tests/gpu/attention_case.h"
#include "tests/gpu/shim/shim.h"

namespace mla::gpu::testing {
namespace {

/// The test device has a capability until the test ends.
class Capability {
 public:
  explicit Capability(int capability) { shim::set_capability(capability / 10, capability % 10); }
  ~Capability() { shim::set_capability(9, 0); }
  DeviceFacts facts() const { return *find_device(); }
};

struct Expectation {
  AttentionShape shape;
  std::map<int, std::string> kernels;  ///< by capability: from there on
};

std::vector<Expectation> expectations() {
  const std::string plain = "plain_attention";
  std::vector<Expectation> all;
  const auto add = [&](const AttentionShape& shape, std::map<int, std::string> kernels) { all.push_back({shape, kernels}); };
  const int tokens = 140;
  add(absorbed(16, 512, 64, tokens, CacheDtype::fp32), {{75, plain}});
  add(absorbed(16, 512, 64, tokens, CacheDtype::bf16), {{75, plain}, {80, "latent_decode_bf16_16"}});
  add(absorbed(17, 512, 64, tokens, CacheDtype::bf16), {{75, plain}, {80, "latent_decode_bf16_32"}});
  add(absorbed(33, 512, 64, tokens, CacheDtype::bf16),
      {{75, plain}, {80, "latent_decode_bf16_64"}, {86, "latent_decode_bf16_32"}, {90, "latent_decode_bf16_64"}});
  add(absorbed(33, 256, 64, tokens, CacheDtype::bf16), {{75, plain}, {80, "latent_decode_bf16_64"}});
  add(absorbed(1, 512, 64, tokens, CacheDtype::fp16), {{75, "latent_decode_fp16_k8_16"}, {80, "latent_decode_fp16_16"}});
  add(absorbed(63, 512, 64, tokens, CacheDtype::fp16), {{75, "latent_decode_fp16_k8_32"},
                                                        {80, "latent_decode_fp16_64"},
                                                        {86, "latent_decode_fp16_32"},
                                                        {90, "latent_decode_fp16_64"}});
  add(absorbed(20, 256, 32, tokens, CacheDtype::fp16), {{75, "latent_decode_fp16_k8_32"}, {80, "latent_decode_fp16_32"}});
  add(absorbed(16, 512, 64, tokens, CacheDtype::fp8), {{75, plain}, {80, "latent_decode_scaled_16"}});
  add(absorbed(20, 512, 64, tokens, CacheDtype::int8), {{75, plain}, {80, "latent_decode_scaled_32"}});
  add(absorbed(40, 512, 64, tokens, CacheDtype::fp8),
      {{75, plain}, {80, "latent_decode_scaled_64"}, {86, "latent_decode_scaled_32"}, {90, "latent_decode_scaled_64"}});
  add(absorbed(16, 100, 20, tokens, CacheDtype::bf16), {{75, plain}});
  add(absorbed(16, 528, 64, tokens, CacheDtype::bf16), {{75, plain}});
  add(toy(4, 16, 32, tokens, CacheDtype::bf16), {{75, "grouped_decode"}});
  add(grouped(4, 1, 13, 4, tokens, CacheDtype::bf16), {{75, "grouped_decode_any"}});
  return all;
}

TEST(AttentionKernels, SuitTheDeviceAndTheShape) {
  for (const int capability : {75, 80, 86, 89, 90, 100, 120}) {
    const Capability device(capability);
    Stream stream;
    for (const Expectation& expectation : expectations()) {
      std::string kernel;
      for (const auto& [from, name] : expectation.kernels)
        if (capability >= from) kernel = name;
      // Devices with 99 KiB of shared memory come back after those with more.
      if (capability == 120 && expectation.kernels.contains(86)) kernel = expectation.kernels.at(86);
      AttentionCase attention(stream, expectation.shape, 3);
      SCOPED_TRACE("capability " + std::to_string(capability));
      EXPECT_EQ(attention_kernel_of(device.facts(), attention.problem()), kernel) << expectation.shape.text();
      if (capability != 89 && capability < 100) expect_attention(attention, device.facts(), attention.expected());
    }
  }
}

/// FlashMLA's shapes by the products of compute capability 7.5, each number of heads and each width over a long cache too.
TEST(AttentionKernels, HalfStepsOverFlashShapes) {
  const Capability device(75);
  Stream stream;
  const auto check = [&](int heads, std::pair<int, int> width, int tokens) {
    AttentionCase attention(stream, absorbed(heads, width.first, width.second, tokens, CacheDtype::fp16), unsigned(tokens));
    EXPECT_EQ(attention_kernel_of(device.facts(), attention.problem()),
              std::string(heads <= 16 ? "latent_decode_fp16_k8_16" : "latent_decode_fp16_k8_32"))
        << attention.shape().text();
    expect_attention(attention, device.facts(), attention.expected());
  };
  const std::vector<std::pair<int, int>> widths{{512, 64}, {256, 64}, {256, 32}};
  const std::vector<int> heads{1, 3, 9, 63, 64, 126, 128};
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const auto& in_turn = widths[i % 3];
    for (const auto& width : widths)
      if (!kSanitized || width == in_turn)
        for (const int tokens : {1, 2, 21, 140}) check(heads[i], width, tokens);
    if (!kSanitized) check(heads[i], in_turn, 4096);
  }
}

TEST(AttentionKernels, UseNoMoreThanWhatTheyWereCompiledFor) {
  const Capability device(90);
  Stream stream;
  const AttentionShape shape = absorbed(16, 512, 64, 70, CacheDtype::bf16);
  const auto page = [&](const DeviceFacts& facts) { return page_layout_for(facts, shape.row, shape.dtype, shape.layout); };
  EXPECT_EQ(page(device.facts()), PageLayout::tiles);
  shim::set_compiled(80);
  const DeviceFacts translated = device.facts();
  shim::set_compiled(75);
  const DeviceFacts old = device.facts();
  shim::set_compiled(1000);
  EXPECT_EQ(page(translated), PageLayout::rows);
  const DeviceAttention problem = AttentionCase(stream, shape, 3).problem();
  EXPECT_STREQ(attention_kernel_of(translated, problem), "latent_decode_bf16_16");
  EXPECT_STREQ(attention_kernel_of(old, problem), "plain_attention");
}

}  // namespace
}  // namespace mla::gpu::testing
