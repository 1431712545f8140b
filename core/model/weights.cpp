#include "core/model/weights.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <new>

#include "core/model/each_weight.h"
#include "core/model/random_layout.h"
#include "core/spec/format.h"
#include "core/tensor/kernels.h"
#include "core/tensor/random.h"
#include "core/tensor/thread_pool.h"

namespace mla {
namespace {

/// Identifies the values of a random tensor: two plans with equal keys hold equal values.
std::uint64_t value_key(const RandomTensor& plan, std::uint64_t seed) {
  const std::uint64_t key = stream_key(seed, plan.target->name);
  return mix(key, std::uint64_t(plan.target->rows) << 32 | std::uint64_t(plan.target->cols));
}

/// The same of what is held: equal values in another type are others.
std::uint64_t held_key(const RandomTensor& plan, std::uint64_t seed) {
  return plan.narrows ? mix(value_key(plan, seed), std::uint64_t(plan.target->dtype)) : value_key(plan, seed);
}

/// Bytes of a tensor whose values are not there yet.
std::int64_t planned_bytes(const RandomTensor& plan) {
  return plan.target->rows * weight_row_bytes(plan.narrows ? plan.target->dtype : WeightsDtype::stored, plan.target->cols);
}

void fill(const RandomTensor& plan, std::uint64_t seed, std::int64_t first, std::int64_t count, float* out) {
  switch (plan.fill) {
    case Fill::ones:
      std::fill_n(out, count, 1.0f);
      return;
    case Fill::zeros:
      std::fill_n(out, count, 0.0f);
      return;
    case Fill::unit_variance:
    case Fill::projection:
      break;
  }
  const float spread = plan.fill == Fill::projection ? plan.gain / std::sqrt(float(plan.target->cols)) : 1;
  available_kernels().back()->fill_uniform(value_key(plan, seed), std::uint64_t(first), kUnitVariance * spread, out, count);
}

using Known = std::map<std::uint64_t, Weight>;

Known known_values(const ModelWeights& model) {
  Known known;
  for_each_weight_of(model, [&](const Weight& weight) {
    if (weight && weight.random_key) known[weight.random_key] = weight;
  });
  return known;
}

WeightValues made_wide(const RandomTensor& plan, std::uint64_t seed, ThreadPool& pool, const std::stop_token& stop) {
  auto values = std::make_shared<Buffer<float>>(std::size_t(plan.target->rows) * plan.target->cols);
  constexpr std::int64_t step = 1 << 20;
  const std::int64_t size = std::int64_t(values->size());
  pool.run(int((size + step - 1) / step), [&](int item, int) {
    if (!stop.stop_requested())
      fill(plan, seed, item * step, std::min(step, size - item * step), values->data() + item * step);
  });
  return values;
}

/// Some rows at a time, so that the values are never all there as fp32.
NarrowValues made_narrow(const RandomTensor& plan, std::uint64_t seed, ThreadPool& pool, const std::stop_token& stop) {
  const Weight& weight = *plan.target;
  const auto matrix = std::make_shared<NarrowMatrix>(weight.rows, weight.cols, weight.dtype);
  constexpr int step = 64;  // even, so that each part begins with a pair of random numbers
  std::vector<Buffer<float>> wide;
  for (int t = 0; t < pool.threads(); ++t) wide.emplace_back(std::size_t(step) * weight.cols);
  pool.run((weight.rows + step - 1) / step, [&](int item, int thread) {
    if (stop.stop_requested()) return;
    const int first = item * step, count = std::min(step, weight.rows - first);
    float* rows = wide[std::size_t(thread)].data();
    fill(plan, seed, std::int64_t(first) * weight.cols, std::int64_t(count) * weight.cols, rows);
    matrix->encode(first, count, rows);
  });
  return matrix;
}

}  // namespace

void for_each_weight(const ModelWeights& model, const std::function<void(const Weight&)>& visit) {
  for_each_weight_of(model, [&](const Weight& weight) {
    const bool tied = &weight == &model.lm_head && weight.same_as(model.embed_tokens);
    if (weight && !tied) visit(weight);
  });
}

std::int64_t ModelWeights::bytes() const {
  std::int64_t total = 0;
  for_each_weight(*this, [&](const Weight& weight) { total += weight.bytes(); });
  return total;
}

std::int64_t ModelWeights::held_bytes() const {
  std::int64_t total = 0;
  for_each_weight(*this, [&](const Weight& weight) { total += weight.made() ? weight.bytes() : 0; });
  return total;
}

std::int64_t weight_bytes(const Experiment& experiment) {
  const RandomLayout layout = lay_out(experiment);
  std::int64_t total = 0;
  for (const RandomTensor& plan : layout.tensors) total += planned_bytes(plan);
  return total;
}

std::int64_t shared_weight_bytes(const Experiment& experiment, const ModelWeights& previous) {
  const RandomLayout layout = lay_out(experiment);
  const Known known = known_values(previous);
  std::int64_t total = 0;
  for (const RandomTensor& plan : layout.tensors)
    if (known.contains(held_key(plan, experiment.seed))) total += planned_bytes(plan);
  return total;
}

Result<std::shared_ptr<const ModelWeights>> build_weights(const Experiment& experiment, const ModelWeights* previous,
                                                          const Progress& progress, std::stop_token stop) {
  const RandomLayout layout = lay_out(experiment);
  const Known known = previous ? known_values(*previous) : Known{};

  std::int64_t total = 0, done = 0;
  for (const RandomTensor& plan : layout.tensors) total += planned_bytes(plan);
  ThreadPool pool(experiment.threads > 0 ? experiment.threads : default_threads());
  try {
    for (const RandomTensor& plan : layout.tensors) {
      if (stop.stop_requested()) return Error{"cancelled"};
      Weight& weight = *plan.target;
      weight.random_key = held_key(plan, experiment.seed);
      if (const auto found = known.find(weight.random_key); found != known.end()) {
        weight.values = found->second.values;
        weight.narrow = found->second.narrow;
      } else if (plan.narrows) {
        weight.narrow = made_narrow(plan, experiment.seed, pool, stop);
      } else {
        weight.values = made_wide(plan, experiment.seed, pool, stop);
      }
      done += weight.bytes();
      if (progress) progress(double(done) / double(total));
    }
  } catch (const std::bad_alloc&) {
    return Error{"weights: out of memory after " + format_bytes(done) + " of " + format_bytes(total)};
  }
  if (stop.stop_requested()) return Error{"cancelled"};
  if (layout.tied) layout.model->lm_head = layout.model->embed_tokens;
  return std::shared_ptr<const ModelWeights>(layout.model);
}

namespace {

/// Weights that every token passes and whose values are still to be made.
std::vector<const Weight*> unmade_of(const ModelWeights& model) {
  std::vector<const Weight*> unmade;
  const auto note = [&](const Weight& weight) {
    if (weight && !weight.made()) unmade.push_back(&weight);
  };
  for (const Weight* weight : {&model.embed_tokens, &model.norm, &model.lm_head}) note(*weight);
  for (const LayerWeights& layer : model.layers) visit_common(layer, note);
  return unmade;
}

}  // namespace

Status convert_weights(const ModelWeights& model, int threads, const Progress& progress, std::stop_token stop) {
  const std::vector<const Weight*> unmade = unmade_of(model);
  std::int64_t total = 0, done = 0;
  for (const Weight* weight : unmade) total += weight->bytes();
  ThreadPool pool(threads > 0 ? threads : default_threads());
  std::atomic<bool> out_of_memory = false;
  for (std::size_t first = 0; first < unmade.size() && !out_of_memory; first += pool.threads()) {
    if (stop.stop_requested()) return Error{"cancelled"};
    const int count = int(std::min<std::size_t>(pool.threads(), unmade.size() - first));
    pool.run(count, [&](int item, int) {
      try {
        unmade[first + item]->make();
      } catch (const std::bad_alloc&) {
        out_of_memory = true;
      }
    });
    for (int i = 0; i < count; ++i) done += unmade[first + i]->bytes();
    if (progress) progress(double(done) / double(total));
  }
  if (out_of_memory) return Error{"weights: out of memory"};
  return {};
}

}  // namespace mla
