#pragma once

#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// Rows on their way to the device: `used` bytes of each, taken where `from` says, arrive `stride` bytes apart with zeros
/// behind.
struct RowCopy {
  const std::byte* from = nullptr;
  std::int64_t from_stride = 0, used = 0, stride = 0;
  int rows = 0;
};

/// Two staging buffers in turn: while one is on its way, the other is filled.
class Staging {
 public:
  explicit Staging(Stream& stream) : stream_(stream) {}
  /// What `rows` points to may go at once; it has arrived when the stream has come so far. Throws Failure.
  void copy(std::byte* to, const RowCopy& rows);

 private:
  Pinned& next(std::size_t bytes);

  Stream& stream_;
  Pinned buffers_[2];
  Event sent_[2];
  bool used_[2] = {false, false};
  int turn_ = 0;
};

}  // namespace mla::gpu
