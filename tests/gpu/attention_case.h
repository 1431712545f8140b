#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/cache/kv_cache.h"
#include "gpu/ops/attention.h"
#include "tests/gpu/device_test.h"

namespace mla::gpu::testing {

/// What is attended to: `tokens` cached ones of each sequence, of which the last `positions` ask.
struct AttentionShape {
  std::vector<RowSegment> row;
  KvLayout layout;
  int heads = 1;
  int tokens = 1;
  CacheDtype dtype = CacheDtype::fp32;
  int batch = 1;
  int positions = 1;
  PageLayout page = PageLayout::rows;

  std::string text() const;
};

/// MLA whose heads share the latent as key and value.
AttentionShape absorbed(int heads, int latent, int rope, int tokens, CacheDtype dtype);
/// MHA, GQA or MQA; the last `rope` columns of a key are its RoPE part.
AttentionShape grouped(int heads, int kv_heads, int width, int rope, int tokens, CacheDtype dtype);
/// MLA with keys and values of its own for each head.
AttentionShape expanded(int heads, int nope, int rope, int value, int tokens, CacheDtype dtype);
/// The tutorial's block: all heads share the latent as key, values are their own.
AttentionShape toy(int heads, int latent, int value, int tokens, CacheDtype dtype);

/// What an attention gives.
struct AttentionResult {
  std::vector<float> out;                  ///< [positions, batch, heads, value]
  std::vector<float> weights, nope, rope;  ///< of sequence 0 [positions, heads, tokens]; 0 beyond a query's position
};

/// Standard deviation of a score: what its rounding is measured by where there are few.
inline constexpr float kScoreDeviation = 1.5f;

/// Random queries over random rows, which lie on the device in pages in no particular order, and on the host in a KvCache.
class AttentionCase {
 public:
  AttentionCase(Stream& stream, const AttentionShape& shape, unsigned seed);

  /// On the device; the trace only where it is asked for.
  AttentionResult run(const DeviceFacts& device, bool trace);
  /// In double precision, from the rows as they are stored.
  AttentionResult expected() const;
  /// By the CPU engine.
  AttentionResult on_processor() const;

  DeviceAttention problem() const { return problem_; }
  const AttentionShape& shape() const { return shape_; }

 private:
  void fill_caches(unsigned seed);
  void fill_pages(unsigned seed);
  std::vector<std::byte> page_bytes(int page) const;
  AttentionResult empty_result() const;
  /// [tokens, values of a row]
  std::vector<float> stored_rows(int sequence) const;
  void expect_query(const std::vector<float>& rows, int position, int sequence, int head, AttentionResult& result) const;

  AttentionShape shape_;
  Stream& stream_;
  std::vector<KvCache> caches_;
  std::vector<float> q_nope_, q_rope_;
  Array<float> device_nope_, device_rope_;
  std::vector<Array<std::byte>> pages_;
  Array<const std::byte*> table_;
  Array<int> first_;
  DeviceAttention problem_;
};

/// The largest difference, as a part of the largest value expected, or of `range` where all are smaller.
double error_of(const std::vector<float>& got, const std::vector<float>& want, double range = 0);

/// How far a kernel may be from exact arithmetic on the stored values. In fp32 the sums are; otherwise queries and weights
/// are rounded to the type of the products: half a unit of 8 or 11 bits for each of the two factors, and for int8, whose
/// values times their scales are rounded to bf16, for a third.
double tolerance_of(const std::string& kernel, CacheDtype dtype);

/// Runs an attention by the kernel that attention_kernel_of names, and expects what exact arithmetic or the CPU engine gave,
/// trace included.
AttentionResult expect_attention(AttentionCase& attention, const DeviceFacts& device, const AttentionResult& want);

}  // namespace mla::gpu::testing
