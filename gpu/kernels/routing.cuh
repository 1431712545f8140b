#pragma once

// Which experts a row is routed to (core/model/routing.h), a row a warp, in double precision as there.

#include "gpu/kernels/reduce.cuh"

namespace mla::gpu {

struct RouteRows {
  static constexpr const char* kName = "route_rows";
  static constexpr int kThreads = 32;
  static constexpr int kBlocks = 1;
  struct Params {
    const float* logits;  // [rows, experts]
    const float* bias;    // [experts] or null
    double* scratch;      // [rows, 3, experts]
    int* expert;          // [rows, top_k]
    float* weight;
    int experts, top_k;
    int groups, top_groups;  // groups 0: any expert may be chosen
    bool sigmoid, normalised;
    double factor;
  };

  /// What was chosen is marked so; no value is it otherwise.
  static MLA_DEVICE double chosen() { return double(NAN); }
  static MLA_DEVICE double lowest() { return -double(INFINITY); }

  /// Blocks: rows.
  static MLA_DEVICE void run(const Params& p) {
    const std::int64_t row = blockIdx.x;
    double* scores = p.scratch + row * 3 * p.experts;
    double* choice = scores + p.experts;
    score(p, p.logits + row * p.experts, scores, choice);
    if (p.groups > 0) exclude_groups(p, choice, choice + p.experts);
    for (int i = 0; i < p.top_k; ++i) mark_largest(choice, p.experts);
    write(p, scores, choice, p.expert + row * p.top_k, p.weight + row * p.top_k);
  }

  static MLA_DEVICE void score(const Params& p, const float* logits, double* scores, double* choice) {
    const int lane = int(threadIdx.x);
    double top = lowest(), sum = 0;
    for (int e = lane; e < p.experts; e += 32) top = logits[e] > top ? double(logits[e]) : top;
    top = warp_max(top);
    for (int e = lane; e < p.experts; e += 32)
      sum += scores[e] = p.sigmoid ? 1 / (1 + exp(-double(logits[e]))) : exp(double(logits[e]) - top);
    sum = warp_sum(sum);
    for (int e = lane; e < p.experts; e += 32) {
      if (!p.sigmoid) scores[e] /= sum;
      const double value = scores[e] + (p.bias ? double(p.bias[e]) : 0.0);
      choice[e] = value == value ? value : lowest();
    }
    sync_warp();
  }

  /// Experts outside the best groups become the last choice.
  static MLA_DEVICE void exclude_groups(const Params& p, double* choice, double* groups) {
    const int lane = int(threadIdx.x), size = p.experts / p.groups;
    for (int g = lane; g < p.groups; g += 32) {
      double best = lowest(), second = best;
      for (int e = g * size; e < (g + 1) * size; ++e) {
        const double value = choice[e], lesser = value < best ? value : best;
        second = lesser > second ? lesser : second;
        best = value > best ? value : best;
      }
      groups[g] = p.bias ? best + second : best;
    }
    sync_warp();
    for (int i = 0; i < p.top_groups; ++i) mark_largest(groups, p.groups);
    for (int e = lane; e < p.experts; e += 32)
      if (groups[e / size] == groups[e / size]) choice[e] = lowest();
    sync_warp();
  }

  /// Marks the largest value that is not marked yet, the first of equals.
  static MLA_DEVICE void mark_largest(double* values, int count) {
    const int lane = int(threadIdx.x);
    double best = lowest();
    int id = count;
    for (int i = lane; i < count; i += 32)
      if (values[i] == values[i] && (id == count || values[i] > best)) best = values[i], id = i;
    for (int mask = 16; mask > 0; mask /= 2) {
      const double other = shuffle_xor(best, mask);
      const int other_id = shuffle_xor(id, mask);
      if (other_id < count && (id == count || other > best || (other == best && other_id < id))) best = other, id = other_id;
    }
    if (lane == 0 && id < count) values[id] = chosen();
    sync_warp();
  }

  static MLA_DEVICE void write(const Params& p, const double* scores, const double* choice, int* expert, float* weight) {
    const int lane = int(threadIdx.x);
    int before = 0;
    for (int first = 0; first < p.experts; first += 32) {
      const int e = first + lane;
      const bool mine = e < p.experts && choice[e] != choice[e];
      int at = mine ? 1 : 0;
      for (int step = 1; step < 32; step *= 2) {
        const int below = shuffle(at, lane >= step ? lane - step : lane);
        if (lane >= step) at += below;
      }
      if (mine) expert[before + at - 1] = e;
      before += shuffle(at, 31);
    }
    sync_warp();
    double sum = 0;
    for (int i = 0; i < p.top_k; ++i) sum += scores[expert[i]];
    const double factor = p.factor / (p.normalised ? (sum > 1e-20 ? sum : 1e-20) : 1.0);
    for (int i = lane; i < p.top_k; i += 32) weight[i] = float(scores[expert[i]] * factor);
  }
};

}  // namespace mla::gpu
