#pragma once

#include <vector>

#include "core/attention/attention_kernel.h"
#include "core/attention/rope.h"
#include "core/model/weights.h"
#include "core/spec/experiment.h"
#include "core/tensor/compute.h"

namespace mla {

/// The rotation of each row: `batch` rows share a position, the first row's has index `first` in the table.
struct Rotation {
  const RopeTable& table;
  int first = 0;
  int batch = 1;
  void rotate(int row, float* x) const { table.rotate(first + row / batch, x); }
};

/// Queries ready for the kernel, scaled and rotated.
struct Queries {
  std::vector<float> nope;  ///< [rows, heads, nope]
  std::vector<float> rope;  ///< [rows, heads, rope]
};

/// The parts of an attention layer that differ between variants and paths; what lies between them (scores, softmax, sums) is
/// AttentionKernel for all. Rows are ordered [position, sequence].
class AttentionLayer {
 public:
  virtual ~AttentionLayer() = default;

  /// Values per head that the kernel sums: v_head_dim, or the latent where it is absorbed.
  virtual int summed_values() const = 0;
  /// How the kernel reads a cache that append() filled.
  virtual KvView view(const AttentionWeights& weights, const KvCache& cache) const = 0;

  /// Queries of x [rows, d].
  virtual void query(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation, Compute& compute,
                     Queries& out) const = 0;
  /// Stores what x [rows, d] adds to the caches [batch]; `latents`, where not null, also receives sequence 0's compressed
  /// rows (latent, then RoPE key) before expansion.
  virtual void append(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation, Compute& compute,
                      std::vector<KvCache>& caches, std::vector<float>* latents) const = 0;
  /// heads_out [rows, H v] from the kernel's sums [rows, H, summed_values].
  virtual void finish(const AttentionWeights& weights, const float* sums, int rows, Compute& compute,
                      float* heads_out) const = 0;
  /// What the kernel's products cost beyond reading the cache: re-expansion rebuilds keys and values of `keys` tokens in
  /// each of `batch` sequences.
  virtual void count_scores(const AttentionProblem& problem, Work& work) const;
  virtual void count_values(const AttentionProblem& problem, Work& work) const;
};

/// MHA, GQA and MQA: keys and values of each group as they are.
std::unique_ptr<AttentionLayer> make_grouped_query_layer(const ModelSpec& spec);

/// MLA and the tutorial's toy block, on any path; `uncached` computes as `expanded` does.
std::unique_ptr<AttentionLayer> make_latent_layer(const ModelSpec& spec, AttentionPath path);

/// Query-key pairs of a causal attention, all heads of one sequence.
std::int64_t causal_pairs(const AttentionProblem& problem);

/// Splits q [rows, heads, nope + rope] into scaled NoPE and rotated, scaled RoPE parts.
void split_queries(const float* q, int rows, const AttentionSpec& spec, float scale, const Rotation& rotation, Queries& out);

}  // namespace mla
