#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace mla {

/// Where the time of a step goes. `query` holds every projection of the query, its rotation and (absorbed) the fold of W_UK;
/// `values` the weighted sum and (absorbed) W_UV; `other` embedding, norms, logits and sampling.
enum class Stage { query, append, scores, softmax, values, output, feed_forward, other };
inline constexpr int kStages = 8;
using StageTimes = std::array<double, kStages>;  ///< milliseconds by Stage

/// "query projection", "cache append", …
std::string_view name_of(Stage stage);

/// How the times of scores, softmax and values were told apart.
enum class StageSplit {
  measured,      ///< one was done after the other
  thread_times,  ///< one pass did all three: in proportion to what its threads took for each
  operations,    ///< one kernel did all three: scores and values in proportion to their operations, the softmax within them
};
/// "measured", "thread times", "operations".
std::string_view name_of(StageSplit split);

/// What a step executed and moved: counted where it happens, to be held against analysis/cost.h.
struct Work {
  std::int64_t operations =
      0;  ///< floating-point operations of all products (a multiply-add is two), softmax and norms left out
  std::int64_t weight_bytes = 0;  ///< bytes of weights read
  std::int64_t cache_read_bytes = 0;
  std::int64_t cache_write_bytes = 0;
  std::int64_t bytes() const { return weight_bytes + cache_read_bytes + cache_write_bytes; }
  /// Counts a product of 2 m n k operations that reads so many bytes of weights.
  void count_product(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t weights);
  Work& operator+=(const Work& other);
};

/// Which attention rows a step records. Recording nothing costs nothing.
struct TraceRequest {
  enum class Layers { none, one, all };
  Layers layers = Layers::none;
  int layer = 0;  ///< the one, when `layers` is one
  /// Rows of a step may come with the next pass, or from late_rows(): a device copies them while that pass runs.
  bool later = false;
  bool wants(int l) const { return layers == Layers::all || (layers == Layers::one && l == layer); }
};

/// The attention of one query position in one layer, from the kernel call that produced the token.
/// All arrays are [heads, keys], keys = query position + 1 (causal).
struct AttentionRow {
  int layer = 0;
  int query = 0;  ///< position of the query, from 0
  int heads = 0;
  int keys = 0;
  std::vector<float> weights;      ///< after the softmax
  std::vector<float> scores_nope;  ///< scaled NoPE part of the score
  std::vector<float> scores_rope;  ///< scaled RoPE part; empty where the block has no RoPE
  std::int64_t bytes() const { return 4 * std::int64_t(weights.size() + scores_nope.size() + scores_rope.size()); }
};

using AttentionRows = std::vector<std::shared_ptr<const AttentionRow>>;

/// One forward pass: a decode step (positions 1) or a prefill.
struct StepTrace {
  int position = 0;   ///< of the last token processed
  int positions = 1;  ///< tokens processed, per sequence
  int token = -1;     ///< the token chosen after it; -1 where the block has no vocabulary
  double ms = 0;      ///< wall time of the whole call
  StageTimes stages{};
  StageSplit split = StageSplit::measured;
  std::int64_t cache_bytes = 0;            ///< rows held, all layers and sequences
  std::int64_t cache_allocated_bytes = 0;  ///< blocks allocated for them (a block holds several rows)
  Work work;
  AttentionRows attention;  ///< of sequence 0, ordered by layer, then query; before them those that came late
};

}  // namespace mla
