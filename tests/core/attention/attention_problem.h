#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "core/attention/attention_kernel.h"
#include "core/tensor/kernels.h"

namespace mla {

/// `heads` queries for each of the last positions, over tokens that all heads share: absorbed MLA where values are the keys'
/// NoPE columns.
struct Case {
  int heads, latent, rope, tokens, batch = 1;
  CacheDtype dtype = CacheDtype::fp32;
  bool apart = false;  ///< values beside the keys, as in MQA
  int kv_heads = 1;    ///< with more, keys and values of each lie beside those of the others; RoPE keys are shared
  int positions = 1;
};

class Problem {
 public:
  Problem(const Case& c, const Kernels& kernels, unsigned seed) {
    std::mt19937 rng(seed);
    std::normal_distribution<float> normal(0, 1);
    const int keys = c.kv_heads * c.latent, width = keys + c.rope + (c.apart ? keys : 0);
    std::vector<RowSegment> segments{{c.latent, c.kv_heads}};
    if (c.rope) segments.push_back({c.rope, 1, true});
    if (c.apart) segments.push_back({c.latent, c.kv_heads});
    std::vector<float> row(std::size_t(width), 0.0f);
    for (int s = 0; s < c.batch; ++s) {
      caches_.emplace_back(RowFormat(segments, c.dtype));
      for (int t = 0; t < c.tokens; ++t) {
        for (float& x : row) x = normal(rng);
        caches_.back().store(kernels, caches_.back().grow(1), 0, row.data(), width);
      }
    }
    const float scale = 1.5f / std::sqrt(float(c.latent + c.rope));
    for (auto* q : {&nope_, &rope_}) {
      q->resize(std::size_t(c.positions) * c.batch * c.heads * (q == &nope_ ? c.latent : c.rope));
      for (float& x : *q) x = scale * normal(rng);
    }
    for (const KvCache& cache : caches_) {
      KvView view;
      view.cache = &cache;
      const int step = c.kv_heads > 1 ? c.latent : 0;
      view.layout = {c.kv_heads, c.latent, 0, step, c.rope, keys, 0, c.latent, c.apart ? keys + c.rope : 0, step};
      problem.sequences.push_back(view);
    }
    problem.first = c.tokens - c.positions;
    problem.positions = c.positions;
    problem.heads = c.heads;
    problem.q_nope = nope_.data();
    problem.q_rope = rope_.data();
  }
  KvCache& cache(int sequence) { return caches_[std::size_t(sequence)]; }
  AttentionProblem problem;

 private:
  std::vector<KvCache> caches_;
  std::vector<float> nope_, rope_;
};

inline std::vector<float> in_three_stages(const AttentionProblem& p, const Kernels& kernels) {
  ThreadPool pool(2);
  AttentionKernel kernel(kernels, pool);
  std::vector<float> out(std::size_t(p.positions) * p.batch() * p.heads * p.layout().value);
  kernel.scores(p);
  kernel.softmax(p, false);
  kernel.values(p, 0, out.data());
  return out;
}

inline void expect_near(const std::vector<float>& got, const std::vector<float>& want, double tolerance,
                        const std::string& what) {
  float range = 0, worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    range = std::max(range, std::abs(want[i]));
    worst = std::max(worst, std::abs(got[i] - want[i]));
  }
  EXPECT_LE(worst, tolerance * range) << what;
}

inline std::string text(const Case& c) {
  return std::to_string(c.heads) + " heads, " + std::to_string(c.latent) + " + " + std::to_string(c.rope) + ", " +
         std::to_string(c.positions) + " of " + std::to_string(c.tokens) + " tokens, batch " + std::to_string(c.batch);
}

}  // namespace mla
