#pragma once

// A token from its logits, as core/model/sampler.h chooses it: softmax at a temperature, cut to the likeliest top_k and, of
// those, to what reaches top_p. Nothing is sorted: places in the order are found by bisecting the logits' values.

#include "gpu/kernels/numbers.cuh"
#include "gpu/kernels/reduce.cuh"
#include "gpu/ops/sample.h"

namespace mla::gpu {

struct ChooseToken {
  static constexpr const char* kName = "choose_token";
  static constexpr int kThreads = 512;
  static constexpr int kBlocks = 1;
  static constexpr std::size_t kShared = kThreads / 32 * (sizeof(double) + sizeof(int));
  using Params = TokenChoice;

  /// Some of the tokens: what they weigh, and how many they are.
  struct Sums {
    double weight;
    int count;
  };

  /// One row of logits.
  struct Row {
    const float* logits;
    double* weights;
    int vocab;

    /// Larger for what comes earlier in the order; equal for equals.
    MLA_DEVICE std::uint32_t key(int i) const {
      const float x = logits[i] + 0.0f;  // no negative zero
      const std::uint32_t bits = bits_of(x);
      return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    }
    /// Of all tokens that `in(i)` accepts; for all threads.
    template <class In>
    MLA_DEVICE Sums sums(In in) const {
      Sums mine{0, 0};
      for (int i = int(threadIdx.x); i < vocab; i += kThreads)
        if (in(i)) {
          mine.weight += weights[i];
          ++mine.count;
        }
      return add_up(mine);
    }
    /// Of those from a key on.
    MLA_DEVICE Sums from(std::uint32_t least) const {
      return sums([&](int i) { return key(i) >= least; });
    }
    /// The largest key for which enough(from(key)) holds; it does for 0.
    template <class Enough>
    MLA_DEVICE std::uint32_t bisect(Enough enough) const {
      std::uint32_t found = 0;
      for (int bit = 31; bit >= 0; --bit) {
        const std::uint32_t tried = found | 1u << bit;
        if (enough(from(tried))) found = tried;
      }
      return found;
    }
    /// Of those before a key.
    MLA_DEVICE Sums above(std::uint32_t key) const { return key == 0xffffffffu ? Sums{0, 0} : from(key + 1); }
    /// The id of the place-th (from 0) token of that key.
    MLA_DEVICE int id_of(std::uint32_t wanted, int place) const {
      int found = 0;  // tokens before it are too few
      for (int step = 1 << 20; step > 0; step /= 2) {
        const int tried = found + step;
        if (tried < vocab && sums([&](int i) { return i < tried && key(i) == wanted; }).count <= place) found = tried;
      }
      return found;
    }
    MLA_DEVICE double weight_of(std::uint32_t wanted) const {
      const Sums equal = sums([&](int i) { return key(i) == wanted; });
      return equal.count > 0 ? equal.weight / equal.count : 0;
    }
  };

  static MLA_DEVICE Sums add_up(Sums mine) {
    double* const weights = reinterpret_cast<double*>(shared_memory());
    int* const counts = reinterpret_cast<int*>(weights + kThreads / 32);
    mine = {warp_sum(mine.weight), warp_sum(mine.count)};
    if (threadIdx.x % 32 == 0) {
      weights[threadIdx.x / 32] = mine.weight;
      counts[threadIdx.x / 32] = mine.count;
    }
    sync_block();
    Sums all{0, 0};
    for (int w = 0; w < kThreads / 32; ++w) {
      all.weight += weights[w];
      all.count += counts[w];
    }
    sync_block();
    return all;
  }

  /// Blocks: sequences.
  static MLA_DEVICE void run(const Params& p) {
    const std::int64_t at = std::int64_t(blockIdx.x) * p.vocab;
    const Row row{p.logits + at, p.weights + at, p.vocab};
    const DeviceDraw draw = p.draws[blockIdx.x];
    const int best = largest(row);
    int token = best;
    if (draw.temperature > 0) {
      weigh(row, double(row.logits[best]), draw.temperature);
      token = pick(row, draw);
    }
    if (threadIdx.x == 0) p.tokens[blockIdx.x] = token;
  }

  /// The first of the largest.
  static MLA_DEVICE int largest(const Row& row) {
    int* const ids = reinterpret_cast<int*>(shared_memory());
    int best = -1;
    for (int i = int(threadIdx.x); i < row.vocab; i += kThreads) best = better(row, best, i);
    for (int mask = 16; mask > 0; mask /= 2) best = better(row, best, shuffle_xor(best, mask));
    if (threadIdx.x % 32 == 0) ids[threadIdx.x / 32] = best;
    sync_block();
    for (int w = 0; w < kThreads / 32; ++w) best = better(row, best, ids[w]);
    sync_block();
    return best < 0 ? 0 : best;
  }
  static MLA_DEVICE int better(const Row& row, int a, int b) {
    if (b < 0 || !(row.logits[b] == row.logits[b])) return a;
    if (a < 0 || row.logits[b] > row.logits[a]) return b;
    return row.logits[b] == row.logits[a] && b < a ? b : a;
  }

  static MLA_DEVICE void weigh(const Row& row, double best, double temperature) {
    for (int i = int(threadIdx.x); i < row.vocab; i += kThreads)
      row.weights[i] = exp((double(row.logits[i]) - best) / temperature);
    sync_block();
  }

  static MLA_DEVICE int pick(const Row& row, const DeviceDraw& draw) {
    // The order ends with `kept` tokens of the key `end`.
    std::uint32_t end = 0;
    if (draw.top_k > 0 && draw.top_k < row.vocab)
      end = row.bisect([&](const Sums& sums) { return sums.count >= draw.top_k; });
    else
      end = row.bisect([&](const Sums& sums) { return sums.count >= row.vocab; });
    const int wanted = draw.top_k > 0 && draw.top_k < row.vocab ? draw.top_k : row.vocab;
    Sums before = row.above(end);
    int kept = wanted - before.count;
    double each = row.weight_of(end);
    if (draw.top_p < 1) {
      const double target = draw.top_p * (before.weight + kept * each);
      if (before.weight >= target && before.count > 0) {
        end = row.bisect([&](const Sums& sums) { return sums.weight >= target; });
        before = row.above(end);
        each = row.weight_of(end);
        kept = row.sums([&](int i) { return row.key(i) == end; }).count;
      }
      kept = needed(target - before.weight, each, kept);
    }
    const double at = draw.at * (before.weight + kept * each);
    if (before.weight > at) {
      end = row.bisect([&](const Sums& sums) { return sums.weight > at; });
      before = row.above(end);
      each = row.weight_of(end);
      kept = row.sums([&](int i) { return row.key(i) == end; }).count;
    }
    const double place = each > 0 ? (at - before.weight) / each : 0;
    return row.id_of(end, place < kept - 1 ? int(place) : kept - 1);
  }

  /// How many tokens of a weight reach `missing`: one at least, `most` at most.
  static MLA_DEVICE int needed(double missing, double each, int most) {
    int count = 1;
    while (count < most && count * each < missing) ++count;
    return count;
  }
};

}  // namespace mla::gpu
