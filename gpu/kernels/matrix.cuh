#pragma once

// The matrix units and the copies that feed them, as one warp sees them. Lane = 4 g + t.
//
//   multiply_*(d, a, b0, b1)   d[16, 8] += a[16, 16] · b[16, 8], 16-bit factors, fp32 sums
//     a[0], a[1]  rows g, g + 8, columns 2t, 2t + 1      b0  rows 2t, 2t + 1, column g
//     a[2], a[3]  the same rows, columns 2t + 8, 2t + 9  b1  rows 2t + 8, 2t + 9, column g
//     d[0], d[1]  row g, columns 2t, 2t + 1              d[2], d[3]  row g + 8
//   multiply_fp16_k8(d, a0, a1, b0)   the first half of that, which compute capability 7.5 has
//   load_matrices(r, row)             four 8 x 8 matrices of 16-bit values: lane l names the 16 bytes of row l % 8 of matrix
//                                     l / 8; r[i] of a lane is row g, columns 2t, 2t + 1 of matrix i
//   load_matrix_pair(r, row)          two of them, by lanes 0 … 15
//   load_matrices_transposed(r, row)  rows 2t, 2t + 1, column g instead
//   copy_16(to, from, there)          16 bytes into shared memory, zeros where they are not there; there at last when
//   commit_copies(), wait_copies<n>() all but the n latest commits of this thread have been waited for
//   pack_bf16(x, y), pack_fp16(x, y)  rounded to nearest, x in the low half
//
// PTX ISA, "Matrix fragments for mma.m16n8k16 with floating point type", "ldmatrix", "cp.async".

#include "gpu/kernels/vectors.cuh"

namespace mla::gpu {

/// Eight 16-bit values that move as one.
using Chunk = Words4;

}  // namespace mla::gpu

#ifdef __CUDACC__
#include "gpu/kernels/matrix_cuda.cuh"
#else
#include MLA_DEVICE_SHIM_MATRIX
#endif
