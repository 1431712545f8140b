#pragma once

// Matrix products of warpgroups and bulk copies, as compute capability 9.0 has them (sm_90a), under names of our own: on a
// GPU the instructions, in the tests what they do. Compiled for anything else they must not be reached (kWarpgroupProducts).
//
// An operand of a warpgroup's product lies in shared memory in tiles of 64 columns, 128 bytes a row, 1,024 bytes every 8
// rows; of row t the 16-byte chunks are exchanged by XOR with t % 8 (PageLayout::tiles). This is the "128-byte swizzle",
// which XORs bits 4-6 of an address with its bits 7-9, so that tiles begin at multiples of 1,024 bytes. The descriptor of an
// operand (PTX ISA, "Matrix Descriptor Format" and "Canonical Layouts") names its first byte and two strides, all in units
// of 16 bytes:
//
//   bits 0-13 first byte; 16-29 leading dimension byte offset; 32-45 stride dimension byte offset; 62-63 swizzle, 1: 128
//   bytes
//
// In units of bytes, before the XOR, element (row, k) of such an operand of 16-bit values lies
//   along its rows (K-major, canonical ((8,m),(T,2k)):((8T,SBO),(1,T)))   at  row % 8 · 128 + row / 8 · stride + 2 k
//   across them (MN-major, canonical ((T,8,m),(8,k)):((1,T,LBO),(8T,SBO))) at  2 (row % 64) + row / 64 · leading + k % 8 ·
//   128 + k / 8 · stride
// A page's tile of 64 tokens is the first with the token as row and the column as k, stride 1,024 (keys); it is the second
// with the column as row and the token as k, stride 1,024, and the next tile's 64 columns `leading` = 8,192 bytes on
// (values). So one page serves as both.

#include "gpu/kernels/platform.cuh"

#ifdef __CUDACC__
#include "gpu/kernels/hopper_cuda.cuh"
#endif

namespace mla::gpu {

inline constexpr int kWarpgroup = 128;       ///< threads
inline constexpr int kTileBytes = 64 * 128;  ///< 64 rows of 64 16-bit values
inline constexpr int kProductDepth = 16;     ///< k of one product

MLA_DEVICE std::uint64_t operand(const unsigned char* first, int leading, int stride) {
  return std::uint64_t(shared_address(first) >> 4) | std::uint64_t(leading >> 4) << 16 | std::uint64_t(stride >> 4) << 32 |
         std::uint64_t(1) << 62;
}

/// Rows of a tile from its first or an eighth later one on, its first 16 columns as k: K-major. The leading offset has no
/// meaning there.
MLA_DEVICE std::uint64_t rows_operand(const unsigned char* rows) { return operand(rows, 16, 1024); }

/// The columns of a run of tiles as rows, their first 16 tokens as k: MN-major.
MLA_DEVICE std::uint64_t columns_operand(const unsigned char* tiles) { return operand(tiles, kTileBytes, 1024); }

/// The operand that begins so many bytes later, within shared memory.
MLA_DEVICE std::uint64_t later(std::uint64_t operand, int bytes) { return operand + std::uint64_t(bytes >> 4); }

/// Bytes to the next 16 of k.
inline constexpr int kRowsStep = 2 * kProductDepth, kColumnsStep = 128 * kProductDepth;

/// Which row and column of a product's 64 rows value `i` of a thread's accumulators is.
MLA_DEVICE int fragment_row(int thread, int i) { return thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8; }
MLA_DEVICE int fragment_column(int thread, int i) { return i / 4 * 8 + thread % 4 * 2 + i % 2; }

}  // namespace mla::gpu
