#include "gpu/engine/staging.h"

#include <algorithm>
#include <cstring>

namespace mla::gpu {
namespace {

constexpr std::size_t kStagingBytes = std::size_t(4) << 20;

}  // namespace

void Staging::copy(std::byte* to, const RowCopy& rows) {
  const int step = int(std::clamp<std::int64_t>(std::int64_t(kStagingBytes) / rows.stride, 1, std::max(1, rows.rows)));
  for (int first = 0; first < rows.rows; first += step) {
    const int count = std::min(step, rows.rows - first);
    Pinned& buffer = next(std::size_t(count * rows.stride));
    for (int r = 0; r < count; ++r) {
      std::byte* const row = buffer.data() + r * rows.stride;
      std::memcpy(row, rows.from + (first + r) * rows.from_stride, std::size_t(rows.used));
      std::memset(row + rows.used, 0, std::size_t(rows.stride - rows.used));
    }
    stream_.to_device(to + first * rows.stride, buffer.data(), std::size_t(count * rows.stride));
    stream_.record(sent_[turn_]);
  }
}

Pinned& Staging::next(std::size_t bytes) {
  turn_ ^= 1;
  if (used_[turn_]) sent_[turn_].synchronize();
  used_[turn_] = true;
  if (buffers_[turn_].bytes() < bytes) buffers_[turn_] = Pinned(std::max(bytes, kStagingBytes));
  return buffers_[turn_];
}

}  // namespace mla::gpu
