#include <map>
#include <set>
#include <string>

#include "core/model/each_weight.h"
#include "core/tensor/kernels.h"

namespace mla {

void NarrowMatrix::encode(int first, int count, const float* values) {
  const int cols = format.values();
  for (int r = 0; r < count; ++r)
    format.encode(*available_kernels().back(), 0, values + std::ptrdiff_t(r) * cols, cols, row(first + r));
}

const float* Weight::read(const Kernels& kernels, int first, int count, float* scratch) const {
  if (!narrow) return data() + std::ptrdiff_t(first) * cols;
  for (int r = 0; r < count; ++r)
    narrow->format.decode(kernels, narrow->row(first + r), 0, scratch + std::ptrdiff_t(r) * cols, cols);
  return scratch;
}

std::shared_ptr<const ModelWeights> narrowed(std::shared_ptr<const ModelWeights> model, WeightsDtype dtype,
                                             const ModelWeights* previous) {
  if (dtype == WeightsDtype::stored) return model;
  std::map<std::string, const Weight*> known;
  if (previous && !model->files.empty() && previous->files == model->files)
    for_each_weight_of(*previous, [&](const Weight& weight) {
      // A part of a tensor goes by its name and no more.
      if (weight.narrow && weight.dtype == dtype && !is_part(weight)) known[weight.name] = &weight;
    });
  auto smaller = std::make_shared<ModelWeights>(*model);
  std::set<const Weight*> routers;
  for (const LayerWeights& layer : smaller->layers) routers.insert(&layer.moe.gate.weight);
  const bool tied = model->lm_head && model->lm_head.same_as(model->embed_tokens);
  for_each_weight_of(*smaller, [&](Weight& weight) {
    if (!weight || weight.cols <= 1 || routers.contains(&weight)) return;
    const auto found = known.find(weight.name);
    weight.narrow = found != known.end() ? found->second->narrow : NarrowValues([wide = weight, dtype] {
      NarrowMatrix matrix(wide.rows, wide.cols, dtype);
      matrix.encode(0, wide.rows, wide.data());
      return matrix;
    });
    weight.dtype = dtype;
    weight.values = nullptr;
  });
  if (tied) smaller->lm_head = smaller->embed_tokens;
  return smaller;
}

}  // namespace mla
