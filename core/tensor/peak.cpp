#include "core/tensor/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mla {
namespace {

// Independent accumulators: latency times throughput of a multiply-add on current cores, with some to spare. They have to
// stay in registers (from memory they came at half the rate): loops over them are unrolled whole. And they begin apart, or a
// compiler would see that one does the work of all.
constexpr int kChains = 16;

typedef float Vec4 __attribute__((vector_size(16)));

float fp32_portable(std::int64_t rounds) {
  constexpr int chains = 8;
  Vec4 acc[chains];
#pragma GCC unroll 16
  for (int c = 0; c < chains; ++c) acc[c] = Vec4{} + float(c);
  const Vec4 x = {1.0f, 1.0f, 1.0f, 1.0f}, y = {1e-9f, 1e-9f, 1e-9f, 1e-9f};
  for (std::int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (int c = 0; c < chains; ++c) acc[c] = acc[c] * x + y;
  Vec4 all = acc[0];
#pragma GCC unroll 16
  for (int c = 1; c < chains; ++c) all += acc[c];
  return all[0] + all[3];
}

float read_portable(const float* data, std::size_t n) {
  Vec4 acc[4] = {};
  for (std::size_t i = 0; i + 16 <= n; i += 16)
    for (int c = 0; c < 4; ++c) acc[c] += *reinterpret_cast<const Vec4*>(data + i + 4 * c);
  const Vec4 all = acc[0] + acc[1] + acc[2] + acc[3];
  return all[0] + all[1] + all[2] + all[3];
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) float fp32_avx2(std::int64_t rounds) {
  __m256 acc[kChains - 4];
#pragma GCC unroll 16
  for (int c = 0; c < kChains - 4; ++c) acc[c] = _mm256_set1_ps(float(c));
  const __m256 x = _mm256_set1_ps(1.0f), y = _mm256_set1_ps(1e-9f);
  for (std::int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (int c = 0; c < kChains - 4; ++c) acc[c] = _mm256_fmadd_ps(x, y, acc[c]);
  __m256 all = acc[0];
#pragma GCC unroll 16
  for (int c = 1; c < kChains - 4; ++c) all = _mm256_add_ps(all, acc[c]);
  return _mm256_cvtss_f32(all);
}

__attribute__((target("avx512f"))) float fp32_avx512(std::int64_t rounds) {
  __m512 acc[kChains];
#pragma GCC unroll 16
  for (int c = 0; c < kChains; ++c) acc[c] = _mm512_set1_ps(float(c));
  const __m512 x = _mm512_set1_ps(1.0f), y = _mm512_set1_ps(1e-9f);
  for (std::int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c) acc[c] = _mm512_fmadd_ps(x, y, acc[c]);
  __m512 all = acc[0];
#pragma GCC unroll 16
  for (int c = 1; c < kChains; ++c) all = _mm512_add_ps(all, acc[c]);
  return _mm512_cvtss_f32(all);
}

__attribute__((target("avx512f,avx512bf16"))) float bf16_avx512(std::int64_t rounds) {
  __m512 acc[kChains];
#pragma GCC unroll 16
  for (int c = 0; c < kChains; ++c) acc[c] = _mm512_set1_ps(float(c));
  const __m512bh x = (__m512bh)_mm512_set1_epi16(0x3f80), y = (__m512bh)_mm512_set1_epi16(0x3000);
  for (std::int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c) acc[c] = _mm512_dpbf16_ps(acc[c], x, y);
  __m512 all = acc[0];
#pragma GCC unroll 16
  for (int c = 1; c < kChains; ++c) all = _mm512_add_ps(all, acc[c]);
  return _mm512_cvtss_f32(all);
}

__attribute__((target("avx512f,avx512vnni"))) float int8_avx512(std::int64_t rounds) {
  __m512i acc[kChains];
#pragma GCC unroll 16
  for (int c = 0; c < kChains; ++c) acc[c] = _mm512_set1_epi32(c);
  const __m512i x = _mm512_set1_epi8(1), y = _mm512_set1_epi8(2);
  for (std::int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c) acc[c] = _mm512_dpbusd_epi32(acc[c], x, y);
  __m512i all = acc[0];
#pragma GCC unroll 16
  for (int c = 1; c < kChains; ++c) all = _mm512_add_epi32(all, acc[c]);
  alignas(64) int lanes[16];
  _mm512_store_si512(lanes, all);
  return float(lanes[0]);
}

// Four streams at a time: each keeps its own prefetcher busy.
__attribute__((target("avx512f"))) float read_avx512(const float* data, std::size_t n) {
  __m512 acc[8];
  for (auto& a : acc) a = _mm512_setzero_ps();
  const std::size_t quarter = n / 4;
  for (std::size_t i = 0; i + 32 <= quarter; i += 32)
    for (int s = 0; s < 4; ++s) {
      acc[2 * s] = _mm512_add_ps(acc[2 * s], _mm512_load_ps(data + s * quarter + i));
      acc[2 * s + 1] = _mm512_add_ps(acc[2 * s + 1], _mm512_load_ps(data + s * quarter + i + 16));
    }
  for (int c = 1; c < 8; ++c) acc[0] = _mm512_add_ps(acc[0], acc[c]);
  alignas(64) float lanes[16];
  _mm512_store_ps(lanes, acc[0]);
  float total = 0;
  for (float lane : lanes) total += lane;
  return total;
}

#endif

}  // namespace

PeakLoop fp32_peak() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {fp32_avx512, 2 * 16 * kChains};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {fp32_avx2, 2 * 8 * (kChains - 4)};
#endif
  return {fp32_portable, 2 * 4 * 8};
}

PeakLoop bf16_peak() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16")) return {bf16_avx512, 2 * 32 * kChains};
#endif
  return {};
}

PeakLoop int8_peak() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni")) return {int8_avx512, 2 * 64 * kChains};
#endif
  return {};
}

float read_all(const float* data, std::size_t n) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return read_avx512(data, n);
#endif
  return read_portable(data, n);
}

}  // namespace mla
