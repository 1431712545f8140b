// Rows that a kernel encodes against those of core/cache/row_format.h, byte by byte.
#include "gpu/ops/cache_rows.h"

#include <cstring>

#include "core/cache/row_format.h"
#include "tests/gpu/device_test.h"

namespace mla::gpu::testing {
namespace {

using CacheRowsTest = DeviceTest;

constexpr int kBatch = 2, kTokens = 70, kPages = 2;

/// Two pages of two sequences with `tokens` rows each from position 0.
struct Filled {
  std::vector<float> values;  // [tokens, batch, row]
  Memory pages[kPages];
  Array<const std::byte*> table;
  Array<int> first;
  CacheView view;

  Filled(Stream& stream, const std::vector<RowSegment>& row, CacheDtype dtype, PageLayout page) {
    view.row = row_layout(row, dtype, page);
    view.sequence_bytes = std::int64_t(kPageTokens) * view.row.bytes;
    std::vector<const std::byte*> addresses;
    for (Memory& memory : pages) {
      memory = Memory(std::size_t(kBatch * view.sequence_bytes));
      addresses.push_back(memory.data());
    }
    table = to_device(stream, addresses);
    first = to_device(stream, std::vector<int>{0});
    view.pages = table.data();
    values = normal(std::size_t(kTokens) * kBatch * view.row.values, 9, 3);
    values[1] = 0;
    values[2] = 1e6f;
    const auto in = to_device(stream, values);
    append_rows(stream, view, {first.data(), kBatch}, {in.data(), view.row.values}, kTokens * kBatch);
    stream.synchronize();
  }
  const float* row_of(int token, int sequence) const {
    return values.data() + (std::size_t(token) * kBatch + sequence) * view.row.values;
  }
};

const std::vector<std::vector<RowSegment>> kEveryRow{
    {{64}, {64, 1, true}}, {{512}, {64, 1, true}}, {{33}, {6, 1, true}}, {{7, 3}, {5, 3}}, {{1}}, {{130, 2}, {130, 2}}};

const std::vector<CacheDtype> kEveryType{CacheDtype::fp32, CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8,
                                         CacheDtype::int8};

TEST_F(CacheRowsTest, BytesAreThoseOfTheCpu) {
  Stream stream;
  const Kernels& kernels = *available_kernels().back();
  for (const auto& row : kEveryRow)
    for (const CacheDtype dtype : kEveryType) {
      const Filled filled(stream, row, dtype, PageLayout::rows);
      const RowFormat format(row, dtype);
      ASSERT_EQ(format.bytes(), filled.view.row.bytes);
      std::vector<std::byte> page(filled.pages[0].bytes()), want(std::size_t(format.bytes()));
      for (const int token : {0, 1, 63, 64, 69})
        for (int b = 0; b < kBatch; ++b) {
          stream.to_host(page.data(), filled.pages[token / 64].data(), page.size());
          stream.synchronize();
          format.encode(kernels, 0, filled.row_of(token, b), format.values(), want.data());
          EXPECT_EQ(std::memcmp(page.data() + b * filled.view.sequence_bytes + token % 64 * format.bytes(), want.data(),
                                want.size()),
                    0)
              << name_of(dtype) << " token " << token << " of rows of " << format.values();
        }
    }
}

TEST_F(CacheRowsTest, RowsComeBackAsTheCpuDecodesThem) {
  Stream stream;
  const Kernels& kernels = *available_kernels().back();
  const std::vector<RowSegment> tiled{{128}, {64, 1, true}};
  for (const PageLayout page : {PageLayout::rows, PageLayout::tiles})
    for (const CacheDtype dtype : kEveryType) {
      if (page == PageLayout::tiles && dtype != CacheDtype::bf16 && dtype != CacheDtype::fp16) continue;
      const Filled filled(stream, tiled, dtype, page);
      const RowFormat format(tiled, dtype);
      constexpr int columns = 150, from = 60, count = 10;
      Array<float> out(std::size_t(count) * columns);
      read_rows(stream, filled.view, {1, from, count, columns}, {out.data(), columns});
      const std::vector<float> got = to_host(stream, out);
      std::vector<std::byte> bytes(std::size_t(format.bytes()));
      std::vector<float> want(columns, 0.0f);
      for (int i = 0; i < count; ++i) {
        format.encode(kernels, 0, filled.row_of(from + i, 1), format.values(), bytes.data());
        format.decode(kernels, bytes.data(), 0, want.data(), columns);
        EXPECT_EQ(std::memcmp(got.data() + std::size_t(i) * columns, want.data(), want.size() * 4), 0) << name_of(dtype);
      }
    }
}

}  // namespace
}  // namespace mla::gpu::testing
