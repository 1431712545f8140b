// Every attention kernel over FlashMLA's shapes, and which kernel each of them runs. A query's own token is cached before it
// attends, so none before it are one token.
#include <algorithm>

#include "gpu/ops/grouped.h"
#include "gpu/ops/prefill.h"
#include "tests/gpu/attention_case.h"

namespace mla::gpu::testing {
namespace {

constexpr CacheDtype kTypes[] = {CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8, CacheDtype::fp32};
constexpr int kHeads[] = {1, 3, 9, 63, 64, 126, 128};
constexpr int kShort[] = {1, 2, 21, 140};
constexpr int kLong = 4096;

/// Keys of latent + rope values, values of latent.
struct Width {
  int latent, rope;
};
constexpr Width kWidths[] = {{512, 64}, {256, 64}, {256, 32}};
constexpr Width kOdd = {33, 7};

/// What absorbed decode of whole tiles of 16 columns runs on compute capability 9.0.
std::string latent_kernel(int heads, CacheDtype dtype) {
  if (dtype == CacheDtype::fp32) return "plain_attention";
  const std::string type = dtype == CacheDtype::bf16 ? "bf16" : dtype == CacheDtype::fp16 ? "fp16" : "scaled";
  return "latent_decode_" + type + (heads <= 16 ? "_16" : heads <= 32 ? "_32" : "_64");
}

AttentionShape absorbed(int heads, const Width& width, int tokens, CacheDtype dtype) {
  return testing::absorbed(heads, width.latent, width.rope, tokens, dtype);
}

/// The same keys, and values of their own beside them.
AttentionShape shared(int heads, const Width& width, int tokens, CacheDtype dtype) {
  AttentionShape shape = expanded(1, width.latent, width.rope, width.latent, tokens, dtype);
  shape.heads = heads;
  return shape;
}

/// The last eight tokens ask.
AttentionShape prompt(AttentionShape shape) {
  shape.positions = 8;
  return shape;
}

/// What reads keys and values of their own: eight values at once where one scale, or none, is for a whole part of a row.
std::string grouped_kernel(CacheDtype dtype) {
  return dtype == CacheDtype::fp8 || dtype == CacheDtype::int8 ? kGroupedDecodeAny : kGroupedDecode;
}

class FlashShapes : public DeviceTest {
 protected:
  /// On a device of few or of very few multiprocessors, so that a split takes one page or several. Other devices may choose
  /// other kernels; what they choose is what must run.
  void check(const AttentionShape& shape, const std::string& kernel) {
    SCOPED_TRACE(shape.text());
    Stream stream;
    DeviceFacts device = facts_;
    device.multiprocessors = ++seed_ % 2 ? 1 : 4;
    AttentionCase attention(stream, shape, seed_);
    if (device.capability() == 90) {
      EXPECT_EQ(attention_kernel_of(device, attention.problem()), kernel);
    }
    if (shape.positions == 1) {
      expect_attention(attention, device, attention.expected());
    } else {
      expect_prefill(attention, device);
    }
  }

  /// The types in turn.
  CacheDtype next_type() { return kTypes[turn_++ % std::size(kTypes)]; }

 private:
  static void expect_prefill(AttentionCase& attention, const DeviceFacts& device) {
    const std::string kernel = attention_kernel_of(device, attention.problem());
    LaunchLog log;
    const std::vector<float> got = attention.run(device, false).out;
    EXPECT_EQ(log.names(), std::vector<std::string>{kernel});
    EXPECT_LE(error_of(got, attention.expected().out), tolerance_of(kernel, attention.shape().dtype)) << kernel;
  }

  unsigned seed_ = 0, turn_ = 0;
};

template <class Check>
void for_short(const Check& check) {
  for (const Width& width : kWidths)
    for (const int heads : kHeads)
      for (const int tokens : kShort) check(heads, width, tokens);
}

TEST_F(FlashShapes, AbsorbedOverShortCachesOfEveryType) {
  unsigned turn = 0;
  for_short([&](int heads, const Width& width, int tokens) {
    for (const CacheDtype dtype : kTypes)  // one of them each under the sanitizers
      if (!kSanitized || dtype == kTypes[turn % 5])
        check(absorbed(heads, width, tokens, dtype), latent_kernel(heads, dtype));
    ++turn;
  });
}

/// Every type meets every number of heads, and every number of heads every width.
TEST_F(FlashShapes, AbsorbedOverLongCaches) {
  if (kSanitized) GTEST_SKIP() << "too slow under a sanitizer";
  for (std::size_t type = 0; type < std::size(kTypes); ++type)
    for (std::size_t i = 0; i < std::size(kHeads); ++i)
      check(absorbed(kHeads[i], kWidths[(i + type) % 3], kLong, kTypes[type]), latent_kernel(kHeads[i], kTypes[type]));
}

TEST_F(FlashShapes, LongCachesInTiles) {
  if (kSanitized) GTEST_SKIP() << "too slow under a sanitizer";
  for (const int heads : kHeads) {
    AttentionShape shape = absorbed(heads, kWidths[0], kLong, CacheDtype::bf16);
    shape.page = PageLayout::tiles;
    check(shape, "latent_decode_wgmma");
  }
}

TEST_F(FlashShapes, AbsorbedOfOddWidths) {
  for (const int heads : kHeads) {
    for (const int tokens : kShort) check(absorbed(heads, kOdd, tokens, next_type()), "plain_attention");
    if (!kSanitized) check(absorbed(heads, kOdd, kLong, next_type()), "plain_attention");
  }
}

TEST_F(FlashShapes, ValuesOfTheirOwnOverShortCaches) {
  for_short([&](int heads, const Width& width, int tokens) {
    const CacheDtype dtype = next_type();
    check(shared(heads, width, tokens, dtype), grouped_kernel(dtype));
  });
}

TEST_F(FlashShapes, ValuesOfTheirOwnOverLongCaches) {
  if (kSanitized) GTEST_SKIP() << "too slow under a sanitizer";
  for (std::size_t i = 0; i < std::size(kHeads); ++i) {
    const CacheDtype dtype = next_type();
    check(shared(kHeads[i], kWidths[i % 3], kLong, dtype), grouped_kernel(dtype));
  }
}

TEST_F(FlashShapes, ValuesOfTheirOwnOfOddWidths) {
  for (const int heads : kHeads) {
    for (const int tokens : kShort) check(shared(heads, kOdd, tokens, next_type()), kGroupedDecodeAny);
    if (!kSanitized) check(shared(heads, kOdd, kLong, next_type()), kGroupedDecodeAny);
  }
}

std::string prefill_kernel(CacheDtype dtype) { return dtype == CacheDtype::fp32 ? kPrefillTiled : kPrefillMatrix; }

/// Under the sanitizers of the largest cache only, and of one width where heads are many.
TEST_F(FlashShapes, PromptsOverShortCaches) {
  for (const Width& width : kWidths)
    for (const int heads : kHeads)
      for (const int tokens : {8, 21, 140}) {
        const CacheDtype dtype = next_type();
        if (!kSanitized || (tokens == 140 && (heads < 63 || width.rope == kWidths[2].rope)))
          check(prompt(absorbed(heads, width, tokens, dtype)), prefill_kernel(dtype));
      }
}

/// Every number of heads, widths and types in turn.
TEST_F(FlashShapes, PromptsOverLongCaches) {
  if (kSanitized) GTEST_SKIP() << "too slow under a sanitizer";
  for (std::size_t i = 0; i < std::size(kHeads); ++i) {
    const CacheDtype dtype = next_type();
    check(prompt(absorbed(kHeads[i], kWidths[(i + 2) % 3], kLong, dtype)), prefill_kernel(dtype));
  }
}

}  // namespace
}  // namespace mla::gpu::testing
