#pragma once

#include <vector>

#include "core/spec/model_spec.h"

namespace mla {

/// Rotation frequencies [qk_rope_head_dim / 2] in radians per position; of an elastic model the first of the full table.
/// Applied where configured: YaRN's interpolation (Peng et al. 2023, as DeepSeek-V2's inference code computes it),
/// Llama 3.1's scaling, or positions divided by a factor.
std::vector<double> rope_frequencies(const AttentionSpec& attention);

/// What cos and sin are multiplied by: YaRN's m(mscale) / m(mscale_all_dim), 1 without YaRN.
double rope_amplitude(const RopeSpec& rope);

/// What scores are multiplied by: (n + r)^-0.5 m^2 (r as trained, where a model is elastic), m = 0.1 mscale_all_dim
/// ln(factor) + 1 with YaRN, else 1. The tutorial's toy block: kv_lora_rank^-0.5.
double score_scale(const ModelSpec& spec);

/// cos and sin of the angles of some consecutive positions.
class RopeTable {
 public:
  RopeTable() = default;
  RopeTable(const AttentionSpec& attention, int first_position, int positions);
  /// Rotates the pairs (2i, 2i+1) of x [qk_rope_head_dim] by the angles of the position with index `i` in the table.
  void rotate(int i, float* x) const;
  /// [positions, pairs, 2]: cosine and sine of each.
  const std::vector<float>& values() const { return cos_sin_; }

 private:
  int pairs_ = 0;
  std::vector<float> cos_sin_;  // [positions, pairs, 2]
};

}  // namespace mla
