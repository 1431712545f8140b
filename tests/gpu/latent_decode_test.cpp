// Absorbed MLA, by whatever kernel the device uses for each shape.
#include <algorithm>

#include "tests/gpu/attention_case.h"

namespace mla::gpu::testing {
namespace {

using LatentDecodeTest = DeviceTest;

struct Width {
  int latent, rope;
};
constexpr CacheDtype kTypes[] = {CacheDtype::fp32, CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8};

/// On a device of few or of very few multiprocessors by the seed, so that a split takes one page or several.
void check(DeviceFacts device, const AttentionShape& shape, unsigned seed = 1) {
  Stream stream;
  device.multiprocessors = seed % 2 ? 1 : 4;
  AttentionCase attention(stream, shape, seed);
  expect_attention(attention, device, attention.expected());
}

TEST_F(LatentDecodeTest, ATileOfEverySize) {
  check(facts_, absorbed(33, 16, 16, 140, CacheDtype::bf16));
  check(facts_, absorbed(17, 16, 16, 140, CacheDtype::fp16));
  check(facts_, absorbed(9, 16, 16, 140, CacheDtype::fp8));
}

TEST_F(LatentDecodeTest, AnyMultiplesOfSixteen) {
  for (const CacheDtype dtype : kTypes)
    for (const Width& width : {Width{16, 0}, Width{48, 16}, Width{144, 48}, Width{496, 80}})
      check(facts_, absorbed(17, width.latent, width.rope, 75, dtype));
}

TEST_F(LatentDecodeTest, SequencesAndPositions) {
  for (const CacheDtype dtype : kTypes) {
    AttentionShape shape = absorbed(5, 64, 16, 70, dtype);
    shape.batch = 2;
    shape.positions = 8;
    check(facts_, shape);
  }
}

TEST_F(LatentDecodeTest, PagesOfTiles) {
  for (const CacheDtype dtype : {CacheDtype::bf16, CacheDtype::fp16}) {
    AttentionShape shape = absorbed(9, 256, 64, 140, dtype);
    shape.page = PageLayout::tiles;
    shape.batch = 2;
    check(facts_, shape);
  }
}

}  // namespace
}  // namespace mla::gpu::testing
