#pragma once

#include <memory>
#include <vector>

#include "core/model/weights.h"

namespace mla {

/// How a tensor of a random model is filled.
enum class Fill { unit_variance, projection, ones, zeros };

/// A tensor to be made: where it goes, and its spread.
struct RandomTensor {
  Weight* target;
  Fill fill;
  float gain;
  bool narrows;  ///< a matrix that is held in the experiment's type
};

/// The tensors of a random model: names and shapes are set, values are not there yet.
struct RandomLayout {
  std::shared_ptr<ModelWeights> model;
  std::vector<RandomTensor> tensors;  ///< of `model`
  bool tied = false;                  ///< the head is the embedding
};
RandomLayout lay_out(const Experiment& experiment);

}  // namespace mla
