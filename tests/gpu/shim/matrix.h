#pragma once

// gpu/kernels/matrix.cuh on the processor: the same fragments in the same lanes, so that a value in a wrong place gives a
// wrong product here too. Included from there.

#include "tests/gpu/shim/block.h"

namespace mla::gpu {
namespace shim {

/// What the lanes of a warp bring to an instruction.
template <class T>
class Warpwide {
 public:
  explicit Warpwide(const T& mine) : slots_(exchange(&mine, sizeof mine)) {}
  const T& operator[](int lane) const { return *reinterpret_cast<const T*>(slots_ + std::ptrdiff_t(lane) * kSlotBytes); }

 private:
  const unsigned char* slots_;
};

/// A lane's fragments, value by value.
struct Factors {
  float a[8], b[4];

  template <class Widen>
  Factors(const std::uint32_t (&pairs_a)[4], const std::uint32_t (&pairs_b)[2], const Widen& widen) {
    for (int i = 0; i < 8; ++i) a[i] = widen(std::uint16_t(pairs_a[i / 2] >> (i % 2 * 16)));
    for (int i = 0; i < 4; ++i) b[i] = widen(std::uint16_t(pairs_b[i / 2] >> (i % 2 * 16)));
  }
};

/// d += a · b with `steps` times 8 columns of a.
inline void multiply(float (&d)[4], const Factors& mine, int steps) {
  const Warpwide<Factors> warp(mine);
  const int g = current().lane() / 4, t = current().lane() % 4;
  for (int inner = 0; inner < 4; ++inner) {
    const Factors& rows = warp[4 * g + inner];
    const Factors* columns[2] = {&warp[8 * t + inner], &warp[8 * t + 4 + inner]};
    for (int step = 0; step < steps; ++step)
      for (int i = 0; i < 4; ++i)
        for (int half = 0; half < 2; ++half)
          d[i] += rows.a[4 * step + i / 2 * 2 + half] * columns[i % 2]->b[2 * step + half];
  }
}

/// Rows of 8 x 8 matrices, a lane's own first.
struct MatrixRow {
  std::uint16_t value[8];
};

template <int kCount>
void load(std::uint32_t (&r)[kCount], const unsigned char* row, bool transposed) {
  MatrixRow mine{};
  if (current().lane() < 8 * kCount) {
    if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) throw std::logic_error("a matrix row that is not aligned");
    std::memcpy(&mine, row, sizeof mine);
  }
  const Warpwide<MatrixRow> warp(mine);
  const int g = current().lane() / 4, t = current().lane() % 4;
  for (int i = 0; i < kCount; ++i) {
    const auto at = [&](int y, int x) { return std::uint32_t(warp[8 * i + y].value[x]); };
    r[i] = transposed ? at(2 * t, g) | at(2 * t + 1, g) << 16 : at(g, 2 * t) | at(g, 2 * t + 1) << 16;
  }
}

}  // namespace shim

inline void multiply_bf16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  shim::multiply(d, {a, {b0, b1}, float_of_bf16}, 2);
}
inline void multiply_fp16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  shim::multiply(d, {a, {b0, b1}, float_of_fp16}, 2);
}
inline void multiply_fp16_k8(float (&d)[4], std::uint32_t a0, std::uint32_t a1, std::uint32_t b0) {
  shim::multiply(d, {{a0, a1, 0, 0}, {b0, 0}, float_of_fp16}, 1);
}

inline void load_matrices(std::uint32_t (&r)[4], const unsigned char* row) { shim::load(r, row, false); }
inline void load_matrix_pair(std::uint32_t (&r)[2], const unsigned char* row) { shim::load(r, row, false); }
inline void load_matrices_transposed(std::uint32_t (&r)[4], const unsigned char* row) { shim::load(r, row, true); }

inline void copy_16(unsigned char* to, const unsigned char* from, bool there) {
  if (reinterpret_cast<std::uintptr_t>(to) % 16 != 0 || reinterpret_cast<std::uintptr_t>(from) % 16 != 0)
    throw std::logic_error("an asynchronous copy that is not aligned");
  shim::current().copies.push_back({to, from, there ? 16 : 0, 16});
}
inline void commit_copies() {
  shim::Lane& lane = shim::current();
  lane.groups.push_back(std::move(lane.copies));
  lane.copies.clear();
}
template <int kPending>
void wait_copies() {
  auto& groups = shim::current().groups;
  while (int(groups.size()) > kPending) {
    for (const shim::PendingCopy& copy : groups.front()) {
      std::memcpy(copy.to, copy.from, std::size_t(copy.bytes));
      std::memset(static_cast<unsigned char*>(copy.to) + copy.bytes, 0, std::size_t(copy.full_bytes - copy.bytes));
    }
    groups.erase(groups.begin());
  }
}

inline std::uint32_t pack_bf16(float x, float y) { return bf16_of(x) | std::uint32_t(bf16_of(y)) << 16; }
inline std::uint32_t pack_fp16(float x, float y) { return fp16_of(x) | std::uint32_t(fp16_of(y)) << 16; }

}  // namespace mla::gpu
