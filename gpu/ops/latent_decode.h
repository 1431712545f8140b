#pragma once

#include "gpu/ops/split_attention.h"

namespace mla::gpu {

/// What the matrix units multiply.
enum class LatentProducts {
  bf16,
  fp16,
  fp16_half_steps,  ///< 8 columns at a time, as compute capability 7.5 has it
  scaled,           ///< fp8 and int8 rows, made bf16 in shared memory
};

/// A block's share: so many heads, and tokens at a time.
struct LatentTile {
  int rows = 16, tokens = 32, warps = 4;
};

inline constexpr LatentTile kLatentTiles[] = {{64, 64, 8}, {64, 32, 8}, {32, 32, 8}, {32, 16, 4}, {16, 32, 4}};
inline constexpr int kMostLatentColumns = 512;  ///< of a value: its sums live in registers

/// The kernel's name in the LaunchLog.
constexpr const char* latent_decode_name(LatentProducts products, int rows) {
  constexpr const char* kNames[][3] = {{"latent_decode_bf16_16", "latent_decode_bf16_32", "latent_decode_bf16_64"},
                                       {"latent_decode_fp16_16", "latent_decode_fp16_32", "latent_decode_fp16_64"},
                                       {"latent_decode_fp16_k8_16", "latent_decode_fp16_k8_32", nullptr},
                                       {"latent_decode_scaled_16", "latent_decode_scaled_32", "latent_decode_scaled_64"}};
  return kNames[int(products)][rows / 32];
}

/// What a launch of the kernel needs.
struct LatentDecodePlan {
  LatentProducts products = LatentProducts::bf16;
  LatentTile tile;
  int stages = 0;    ///< blocks of tokens in shared memory or on their way there
  int resident = 1;  ///< blocks that a multiprocessor holds
};

/// Where a block's shared memory goes, in bytes from its begin: queries [rows, pitch], then tokens [tokens, pitch], both as
/// 16-bit values whose 16-byte chunks are exchanged by XOR with the row's number % 8; weights [rows, tokens] as 16-bit
/// values.
struct LatentShared {
  int pitch, tokens, stage, weights, weight_pitch, tops, scales, bytes;
  int raw, raw_stage;  ///< rows as they are stored, where they are made bf16

  constexpr LatentShared(LatentTile tile, int columns, int row_bytes, bool scaled, int stages)
      : pitch((2 * columns + 127) / 128 * 128),
        tokens(tile.rows * pitch),
        stage(tile.tokens * pitch),
        weights(tokens + (scaled ? 1 : stages) * stage),
        weight_pitch(2 * tile.tokens + 16),  // an odd number of chunks: rows begin in different banks
        tops(weights + tile.rows * weight_pitch),
        scales(tops + 4 * tile.rows * tile.warps / (tile.rows / 16)),
        bytes(scales + 4 * tile.rows),
        raw(bytes),
        raw_stage((tile.tokens * row_bytes + 127) / 128 * 128) {
    if (scaled) bytes += stages * raw_stage;
  }
};

/// Whether the matrix units of the device can do it: absorbed MLA, one key-value head whose value is its NoPE part.
bool latent_decode_fits(const DeviceFacts& device, const DeviceAttention& problem);

/// For a problem that fits.
LatentDecodePlan plan_latent_decode(const DeviceFacts& device, const DeviceAttention& problem);

/// The products of an absorbed decode; up to merging the splits.
void latent_decode(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split);

// One a file, so that they are compiled beside each other.
void latent_decode_bf16(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split);
void latent_decode_fp16(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split);
void latent_decode_fp16_k8(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split);
void latent_decode_scaled(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split);

}  // namespace mla::gpu
