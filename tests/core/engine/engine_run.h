#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "core/spec/presets.h"

namespace mla {

inline ComputeBackend& cpu() {
  static const std::unique_ptr<ComputeBackend> backend = make_cpu_backend();
  return *backend;
}

inline constexpr TraceRequest kTraceAll{TraceRequest::Layers::all, 0};

/// All that a run shows: outputs and the traces of its passes.
struct EngineRun {
  std::unique_ptr<Decoder> decoder;
  std::vector<StepTrace> traces;
  std::shared_ptr<const ModelWeights> weights;
  std::vector<const AttentionRow*> rows() const {
    std::vector<const AttentionRow*> all;
    for (const auto& trace : traces)
      for (const auto& row : trace.attention) all.push_back(row.get());
    return all;
  }
};

/// Vectors [count, d] that no run has seen before.
inline std::vector<float> input_vectors(int count, int d, std::uint64_t seed) {
  std::vector<float> x(std::size_t(count) * d);
  for (int i = 0; i < count; ++i) synthetic_input(seed, i, 7, std::span(x).subspan(std::size_t(i) * d, d));
  return x;
}

/// Feeds `count` vectors in passes of those lengths (the last one repeated).
inline EngineRun run_vectors(const Experiment& experiment, const std::vector<float>& x, const std::vector<int>& passes,
                             TraceRequest trace = kTraceAll) {
  EngineRun run;
  const auto model = load(experiment);
  if (!model) {
    ADD_FAILURE() << model.error().message;
    return run;
  }
  run.weights = model->weights;
  auto decoder = Decoder::create(experiment, cpu(), model->weights);
  if (!decoder) {
    ADD_FAILURE() << decoder.error().message;
    return run;
  }
  run.decoder = std::move(*decoder);
  run.decoder->keep_outputs(true);
  const int d = experiment.spec.attention.hidden_size, total = int(x.size()) / d;
  for (int done = 0, pass = 0; done < total; ++pass) {
    const int count = std::min(passes[std::min<std::size_t>(pass, passes.size() - 1)], total - done);
    auto step =
        run.decoder->prefill_hidden(std::span(x).subspan(std::size_t(done) * d, std::size_t(count) * d), count, trace);
    if (!step) {
      ADD_FAILURE() << step.error().message;
      return run;
    }
    run.traces.push_back(std::move(*step));
    done += count;
  }
  return run;
}

inline double largest(const std::vector<float>& values) {
  double top = 0;
  for (float v : values) top = std::max(top, double(std::abs(v)));
  return top;
}

/// Largest difference as a fraction of the range of `want`; infinite where sizes differ or anything is not finite.
template <class A, class B>
double relative_error(const A& got, const B& want) {
  if (got.size() != want.size()) return INFINITY;
  double range = 1e-30, error = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (!std::isfinite(got[i]) || !std::isfinite(want[i])) return INFINITY;
    range = std::max(range, double(std::abs(want[i])));
    error = std::max(error, std::abs(double(got[i]) - double(want[i])));
  }
  return error / range;
}

/// A small random mixture of experts, of any routing.
inline MoeSpec random_experts(std::mt19937& rng) {
  MoeSpec moe;
  moe.topk_method = TopkMethod(rng() % 3);
  moe.scoring_func = ScoringFunc(rng() % 2);
  moe.n_group = 1 + int(rng() % 4);
  moe.topk_group = 1 + int(rng() % unsigned(moe.n_group));
  moe.n_routed_experts = moe.n_group * (2 + int(rng() % 3));
  moe.num_experts_per_tok = 1 + int(rng() % 2);
  moe.moe_intermediate_size = 3 + int(rng() % 20);
  moe.n_shared_experts = int(rng() % 3);
  moe.first_k_dense_replace = int(rng() % 2);
  moe.moe_layer_freq = 1 + int(rng() % 2);
  moe.norm_topk_prob = rng() % 2;
  moe.routed_scaling_factor = rng() % 2 ? 2.5 : 1;
  return moe;
}

/// A small random experiment of that variant: odd head counts, odd latents, with and without q-LoRA, a scaling of RoPE, a
/// feed-forward and experts.
inline Experiment random_small(Variant variant, std::mt19937& rng) {
  const auto pick = [&](std::initializer_list<int> values) { return *(values.begin() + rng() % values.size()); };
  Experiment e;
  e.spec.block = rng() % 3 ? BlockKind::decoder : BlockKind::attention;
  e.spec.vocab_size = 17;
  e.spec.intermediate_size = e.spec.block == BlockKind::decoder ? 40 : 0;
  e.spec.num_hidden_layers = e.layers = 1 + int(rng() % 2);
  if (e.spec.block == BlockKind::decoder && rng() % 2) e.spec.moe = random_experts(rng);
  AttentionSpec& a = e.spec.attention;
  a.variant = variant;
  a.hidden_size = pick({16, 30, 48});
  a.num_attention_heads = a.num_key_value_heads = pick({1, 2, 3, 5, 6, 9});
  a.qk_rope_head_dim = pick({2, 4, 6, 10});
  a.qk_nope_head_dim = pick({0, 1, 5, 8, 16});
  if (variant == Variant::mla) {
    a.kv_lora_rank = pick({1, 2, 7, 16, 33});
    a.q_lora_rank = pick({0, 0, 5, 12});
    a.v_head_dim = pick({1, 4, 9, 16});
    if (rng() % 4 == 0) a.trained_kv_lora_rank = a.kv_lora_rank + pick({0, 1, 6});
    if (a.qk_nope_head_dim > 0 && rng() % 4 == 0) a.qk_rope_head_dim = 0;
  } else {
    a.kv_lora_rank = a.q_lora_rank = 0;
    a.v_head_dim = a.head_dim();
    if (variant == Variant::gqa) a.num_key_value_heads = default_groups(a.num_attention_heads);
    if (variant == Variant::mqa) a.num_key_value_heads = 1;
  }
  const unsigned scaling = rng() % 6;
  if (scaling < 2) a.rope.yarn = Yarn{40, 16, 32, 1, 0.707, 0.707};
  if (scaling == 2) a.rope.llama3 = Llama3Rope{8, 1, 4, 32};
  if (scaling == 3) a.rope.linear_factor = 4;
  e.path = variant == Variant::mla ? AttentionPath::absorbed : AttentionPath::expanded;
  e.context = 400;
  e.seed = rng();
  e.threads = 1 + int(rng() % 3);
  return e;
}

inline Experiment toy_experiment(int d = 24, int heads = 6, int latent = 3) {
  Experiment e = experiment_from(*find_preset("tutorial"));
  e.spec.attention.hidden_size = d;
  e.spec.attention.num_attention_heads = e.spec.attention.num_key_value_heads = heads;
  e.spec.attention.v_head_dim = d / heads;
  e.spec.attention.kv_lora_rank = e.spec.attention.qk_nope_head_dim = latent;
  e.spec.attention.q_lora_rank = 5;
  e.spec.intermediate_size = 4 * d;
  return e;
}

}  // namespace mla
