#include "gpu/engine/device_rope.h"

#include "core/attention/rope.h"

namespace mla::gpu {
namespace {

constexpr int kBlock = 64;

std::size_t blocks_of(int context) { return std::size_t(context + kBlock - 1) / kBlock; }

}  // namespace

std::int64_t DeviceRope::bytes(const AttentionSpec& attention, int context) {
  return std::int64_t(blocks_of(context)) * kBlock * attention.qk_rope_head_dim * 4;
}

void DeviceRope::cover(Stream& stream, int first, int count) {
  const int dim = attention_.qk_rope_head_dim;
  if (dim == 0 || count == 0) return;
  if (covered_.empty()) {
    table_ = Array<float>(blocks_of(context_) * kBlock * std::size_t(dim));
    covered_.resize(blocks_of(context_));
  }
  for (int block = first / kBlock; block <= (first + count - 1) / kBlock; ++block) {
    if (covered_[std::size_t(block)]) continue;
    const RopeTable rows(attention_, block * kBlock, kBlock);
    stream.to_device(table_.data() + std::int64_t(block) * kBlock * dim, rows.values().data(), rows.values().size() * 4);
    stream.synchronize();  // before `rows` goes
    covered_[std::size_t(block)] = true;
  }
}

}  // namespace mla::gpu
