#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/model/weights.h"
#include "gpu/engine/staging.h"
#include "gpu/ops/matrix.h"
#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// A weight in device memory, in the type in which the host holds it. Keeps the host's values, whose identity is its own.
class DeviceWeight {
 public:
  /// Sends the values there, to arrive with the staging's stream; makes them on the host first where nobody did. Throws
  /// Failure, std::bad_alloc.
  DeviceWeight(Staging& staging, const Weight& source);

  const Matrix& matrix() const { return matrix_; }
  /// The values of a vector [n, 1], one after the other.
  const float* vector() const { return reinterpret_cast<const float*>(vector_.data()); }
  const Weight& source() const { return source_; }
  /// Bytes that such a weight takes on the device: rows are padded to 16 bytes.
  static std::int64_t bytes(const Weight& source);

 private:
  Weight source_;
  Memory values_, scales_, vector_;
  Matrix matrix_;
};

/// A layer's routed experts as kernels find them: device [n_routed_experts] each.
struct ExpertTables {
  Array<Matrix> gate, up, down;
};

/// A model whose weights are all in device memory, routed experts included.
class DeviceModel {
 public:
  /// Of one of its weights that is set.
  const DeviceWeight& of(const Weight& weight) const { return *weights_.at(weight.id()); }
  /// Null where the layer has no experts.
  const ExpertTables* experts(int layer) const { return tables_[std::size_t(layer)].get(); }

 private:
  friend class WeightStore;
  std::unordered_map<const void*, std::shared_ptr<const DeviceWeight>> weights_;
  std::vector<std::unique_ptr<ExpertTables>> tables_;  // [layers]
};

/// What is in device memory of any model that is in use: models that agree on a weight share it.
class WeightStore {
 public:
  /// Bytes that place() would have to allocate.
  std::int64_t missing_bytes(const ModelWeights& model) const;
  /// Copies what is not there yet. Throws Failure, std::bad_alloc; nothing more is held then.
  std::shared_ptr<const DeviceModel> place(Stream& stream, const ModelWeights& model);

 private:
  std::map<const void*, std::weak_ptr<const DeviceWeight>> known_;
};

}  // namespace mla::gpu
