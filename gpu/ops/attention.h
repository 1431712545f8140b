#pragma once

#include <cstddef>
#include <cstdint>

#include "core/attention/kv_view.h"
#include "core/spec/cache_row.h"
#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// Tokens of a page: what one sequence keeps of so many neighbouring positions in one layer lies together.
inline constexpr int kPageTokens = 64;
/// Pages that hold so many.
constexpr int pages_for(int tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

/// How the rows of a page lie.
enum class PageLayout {
  rows,  ///< one after the other
  /// 16-bit values in tiles of 64 columns: tile j holds columns [64 j, 64 j + 64) of all 64 tokens, 128 bytes a token, the
  /// 16-byte chunks of token t exchanged by XOR with t % 8. It is how the matrix units of compute capability 9.0 want shared
  /// memory, so that a page gets there by plain bulk copies. Rows of whole tiles only; the bytes are the same.
  tiles,
};

/// Values of one kind in a row, as core/cache/row_format.h has them.
struct RowPart {
  CacheDtype dtype = CacheDtype::fp32;  ///< bf16 for the RoPE key beside fp8
  int column = 0;                       ///< its first
  int unit = 0, units = 1;              ///< runs of values whose scales are theirs alone
  int scales = 0;                       ///< of each unit
  int at = 0, scaled = 0;               ///< bytes before its values, before its scales
};

/// A cache row as kernels read and write it.
struct RowLayout {
  static constexpr int kMostParts = 2;
  CacheDtype dtype = CacheDtype::fp32;
  PageLayout page = PageLayout::rows;
  int values = 0;
  int bytes = 0;
  int parts = 0;
  RowPart part[kMostParts];
};

/// The layout of what core/spec/cache_row.h says.
RowLayout row_layout(const std::vector<RowSegment>& row, CacheDtype dtype, PageLayout page = PageLayout::rows);

/// The cache of one layer: token t of sequence b lies in pages[t / 64] + offset + b · sequence_bytes, as row t % 64. The
/// matrix units' kernels want all of these at multiples of 16 bytes.
struct CacheView {
  RowLayout row;
  const std::byte* const* pages = nullptr;  ///< device [pages]
  std::int64_t offset = 0;                  ///< bytes to this layer
  std::int64_t sequence_bytes = 0;          ///< 64 rows
};

/// What sequence 0 attended to, as core/engine/trace.h records it: device [positions, heads, stride] each; null where nobody
/// looks, `rope` also where there is no RoPE part. Entries beyond a query's position are not written.
struct RowTrace {
  float* weights = nullptr;
  float* nope = nullptr;
  float* rope = nullptr;
  std::int64_t stride = 0;  ///< values between the keys of one head and of the next
};

/// One attention on the device. Query i of a sequence stands at position *first + i and sees the keys up to there; the
/// number of cached tokens is *first + positions. It is read on the device, so that a captured graph serves every step.
struct DeviceAttention {
  CacheView cache;
  KvLayout layout;  ///< columns of keys and values in a row (core/attention/kv_view.h)
  int batch = 1;
  int heads = 1;
  int positions = 1;
  const int* first = nullptr;     ///< device
  int most_keys = 0;              ///< keys that there may be at most: the context
  const float* q_nope = nullptr;  ///< device [positions, batch, heads, nope], scaled
  const float* q_rope = nullptr;  ///< device [positions, batch, heads, rope], scaled and rotated
  float* out = nullptr;           ///< device [positions, batch, heads, value]
  RowTrace trace;                 ///< of sequence 0
};

/// Device memory that an attention needs between its kernels, in bytes; the same for all steps of a run.
std::int64_t attention_workspace(const DeviceFacts& device, const DeviceAttention& problem);

/// Softmax attention by the kernel that suits the device, the shape and the cache's type (attention_kernel_of). The output
/// is the same bits at every repetition and, of one query a head, with and without a trace; many queries at which nobody
/// looks have kernels of their own. Throws Failure.
void attend(Stream& stream, const DeviceFacts& device, const DeviceAttention& problem, std::byte* workspace);

/// The name of the kernel that does the products, as LaunchLog has it.
const char* attention_kernel_of(const DeviceFacts& device, const DeviceAttention& problem);

/// Whether the pages should be tiles, so that the fastest kernel of the device can be used: to be asked before anything is
/// cached.
PageLayout page_layout_for(const DeviceFacts& device, const std::vector<RowSegment>& row, CacheDtype dtype,
                           const KvLayout& layout);

}  // namespace mla::gpu
