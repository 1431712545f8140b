#pragma once

// Cache rows: fp32 values into the cache's type and back, in both layouts of a page. The bytes are those of
// core/cache/row_format.h.

#include "gpu/kernels/cache_page.cuh"
#include "gpu/kernels/reduce.cuh"

namespace mla::gpu {

MLA_DEVICE void put_16(unsigned char* to, std::uint16_t value) {
  if (reinterpret_cast<std::uintptr_t>(to) % 2 == 0) {
    *reinterpret_cast<std::uint16_t*>(to) = value;
  } else {
    to[0] = std::uint8_t(value & 0xff);
    to[1] = std::uint8_t(value >> 8);
  }
}

MLA_DEVICE void put_32(unsigned char* to, std::uint32_t value) {
  put_16(to, std::uint16_t(value & 0xffff));
  put_16(to + 2, std::uint16_t(value >> 16));
}

/// One token's row in its page, to be written.
struct RowPlace {
  unsigned char* page;
  int slot;

  static MLA_DEVICE RowPlace of(const CacheView& cache, int sequence, int position) {
    return {const_cast<unsigned char*>(page_of(cache, sequence, position)), position % kPageTokens};
  }
  /// A byte of a row that lies in one piece.
  MLA_DEVICE unsigned char* at(const RowLayout& row, std::int64_t offset) const {
    return page + std::int64_t(slot) * row.bytes + offset;
  }
  /// A 16-bit value of any row.
  MLA_DEVICE unsigned char* half(const RowLayout& row, const RowPart& part, int i) const {
    return row.page == PageLayout::tiles ? page + tiled_offset(slot, part.column + i)
                                         : at(row, part.at + 2 * std::int64_t(i));
  }
};

/// Values that share a scale, of one unit.
MLA_DEVICE int group_values(CacheDtype dtype) { return dtype == CacheDtype::int8 ? kInt8Group : kFp8Group; }

struct AppendRows {
  static constexpr const char* kName = "append_rows";
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  struct Params {
    CacheView cache;
    const float* in;  // [positions, batch, values]
    std::int64_t stride;
    const int* first;
    int batch;
  };

  /// Blocks: rows.
  static MLA_DEVICE void run(const Params& p) {
    const RowLayout& row = p.cache.row;
    const int i = int(blockIdx.x);
    const RowPlace place = RowPlace::of(p.cache, i % p.batch, *p.first + i / p.batch);
    for (int k = 0; k < row.parts; ++k) {
      const RowPart& part = row.part[k];
      const float* in = p.in + i * p.stride + part.column;
      if (part.dtype == CacheDtype::int8 || part.dtype == CacheDtype::fp8) {
        quantise(row, part, in, place);
      } else {
        convert(row, part, in, place);
      }
    }
  }

  static MLA_DEVICE void convert(const RowLayout& row, const RowPart& part, const float* in, const RowPlace& place) {
    for (int i = int(threadIdx.x); i < part.unit * part.units; i += kThreads) {
      if (part.dtype == CacheDtype::fp32) {
        put_32(place.at(row, part.at + 4 * std::int64_t(i)), bits_of(in[i]));
      } else {
        put_16(place.half(row, part, i), part.dtype == CacheDtype::fp16 ? fp16_of(in[i]) : bf16_of(in[i]));
      }
    }
  }

  /// A warp takes a group.
  static MLA_DEVICE void quantise(const RowLayout& row, const RowPart& part, const float* in, const RowPlace& place) {
    const int group = group_values(part.dtype), lane = int(threadIdx.x) % 32;
    for (int g = int(threadIdx.x) / 32; g < part.units * part.scales; g += kThreads / 32) {
      const int unit = g / part.scales, from = g % part.scales * group;
      const int count = part.unit - from < group ? part.unit - from : group, begin = unit * part.unit + from;
      std::uint32_t most = 0;
      for (int i = lane; i < count; i += 32) {
        const std::uint32_t bits = bits_of(in[begin + i]) & 0x7fffffffu;
        most = bits > most ? bits : most;
      }
      most = warp_max(most);
      const float largest = float_of_bits(most >= 0x7f800000u ? 0x7fc00000u : most);
      unsigned char* const scale = place.at(row, part.scaled + std::int64_t(g) * (part.dtype == CacheDtype::int8 ? 2 : 4));
      const float inverse =
          part.dtype == CacheDtype::int8 ? int8_scale(largest, scale, lane) : fp8_scale(largest, scale, lane);
      for (int i = lane; i < count; i += 32) {
        const float x = in[begin + i] * inverse;
        *place.at(row, part.at + begin + i) = part.dtype == CacheDtype::int8 ? int8_of(x) : fp8_of(x);
      }
    }
  }

  /// Writes a group's scale; gives what its values are to be multiplied by.
  static MLA_DEVICE float int8_scale(float largest, unsigned char* to, int lane) {
    const float wanted = largest / 127.0f;
    const std::uint16_t half = fp16_of(wanted > 65504.0f ? 65504.0f : wanted);
    if (lane == 0) put_16(to, half);
    const float scale = float_of_fp16(half);
    return scale > 0 ? 1.0f / scale : 0.0f;
  }
  static MLA_DEVICE float fp8_scale(float largest, unsigned char* to, int lane) {
    const float wanted = largest / 448.0f;
    const bool number = wanted == wanted;
    const std::uint32_t up = bits_of(wanted > 1e-4f || !number ? wanted : 1e-4f) + 0x7fffffu;
    const float scale = number ? float_of_bits(up & 0x7f800000u) : wanted;
    if (lane == 0) put_32(to, bits_of(scale));
    return 1.0f / scale;
  }
  static MLA_DEVICE std::uint8_t int8_of(float x) {
    x = x > 127.0f ? 127.0f : x;
    x = x > -127.0f ? x : -127.0f;
    return std::uint8_t(int(rintf(x)) + 128);
  }
};

struct ReadRows {
  static constexpr const char* kName = "read_rows";
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  struct Params {
    CacheView cache;
    float* out;  // [count, columns]
    std::int64_t stride;
    int sequence, first, columns;
  };

  /// Blocks: tokens.
  static MLA_DEVICE void run(const Params& p) {
    const int token = p.first + int(blockIdx.x);
    const unsigned char* page = page_of(p.cache, p.sequence, token);
    float* out = p.out + blockIdx.x * p.stride;
    for (int column = int(threadIdx.x); column < p.columns; column += kThreads)
      out[column] = cached_value(p.cache.row, page, token % kPageTokens, column);
  }
};

}  // namespace mla::gpu
