#include "core/attention/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mla {
namespace {

/// The dimension (of rope_dim) whose wave turns `rotations` times over the original context.
double yarn_dimension(const RopeSpec& rope, int rope_dim, double rotations) {
  return rope_dim * std::log(rope.yarn->original_max_position_embeddings / (2 * std::numbers::pi * rotations)) /
         (2 * std::log(rope.theta));
}

/// Llama 3.1: slow waves turn `factor` times slower, fast ones as before, those between are blended.
double llama3_frequency(const Llama3Rope& l, double frequency) {
  const double turns = l.original_max_position_embeddings * frequency / (2 * std::numbers::pi);
  const double fast = std::clamp((turns - l.low_freq_factor) / (l.high_freq_factor - l.low_freq_factor), 0.0, 1.0);
  return frequency / l.factor * (1 - fast) + frequency * fast;
}

double yarn_magnitude(double factor, double mscale) { return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1; }

}  // namespace

std::vector<double> rope_frequencies(const AttentionSpec& attention) {
  const RopeSpec& rope = attention.rope;
  const int pairs = attention.qk_rope_head_dim / 2, rope_dim = attention.trained_rope_dim();
  std::vector<double> frequencies(pairs);
  for (int i = 0; i < pairs; ++i) {
    const double frequency = std::pow(rope.theta, -2.0 * i / rope_dim) / rope.linear_factor;
    frequencies[i] = rope.llama3 ? llama3_frequency(*rope.llama3, frequency) : frequency;
  }
  if (!rope.yarn) return frequencies;

  const double low = std::max(0.0, std::floor(yarn_dimension(rope, rope_dim, rope.yarn->beta_fast)));
  double high = std::min(rope_dim - 1.0, std::ceil(yarn_dimension(rope, rope_dim, rope.yarn->beta_slow)));
  if (low == high) high += 0.001;
  for (int i = 0; i < pairs; ++i) {
    const double ramp = std::clamp((i - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] / rope.yarn->factor * ramp + frequencies[i] * (1 - ramp);
  }
  return frequencies;
}

double rope_amplitude(const RopeSpec& rope) {
  if (!rope.yarn) return 1;
  const Yarn& y = *rope.yarn;
  return yarn_magnitude(y.factor, y.mscale) / yarn_magnitude(y.factor, y.mscale_all_dim);
}

double score_scale(const ModelSpec& spec) {
  const AttentionSpec& a = spec.attention;
  if (spec.block == BlockKind::toy) return 1 / std::sqrt(double(a.kv_lora_rank));
  const double m = a.rope.yarn ? yarn_magnitude(a.rope.yarn->factor, a.rope.yarn->mscale_all_dim) : 1;
  return m * m / std::sqrt(double(a.qk_nope_head_dim + a.trained_rope_dim()));
}

RopeTable::RopeTable(const AttentionSpec& attention, int first_position, int positions)
    : pairs_(attention.qk_rope_head_dim / 2), cos_sin_(std::size_t(positions) * pairs_ * 2) {
  const std::vector<double> frequencies = rope_frequencies(attention);
  const double amplitude = rope_amplitude(attention.rope);
  float* out = cos_sin_.data();
  for (int p = 0; p < positions; ++p)
    for (double frequency : frequencies) {
      const double angle = (first_position + p) * frequency;
      *out++ = float(std::cos(angle) * amplitude);
      *out++ = float(std::sin(angle) * amplitude);
    }
}

void RopeTable::rotate(int i, float* x) const {
  const float* cs = cos_sin_.data() + std::size_t(i) * pairs_ * 2;
  for (int p = 0; p < pairs_; ++p) {
    const float a = x[2 * p], b = x[2 * p + 1], cosine = cs[2 * p], sine = cs[2 * p + 1];
    x[2 * p] = a * cosine - b * sine;
    x[2 * p + 1] = a * sine + b * cosine;
  }
}

}  // namespace mla
