#include "gpu/engine/device_weights.h"

#include <set>

#include "core/model/each_weight.h"

namespace mla::gpu {
namespace {

std::int64_t padded(std::int64_t bytes) { return (bytes + 15) / 16 * 16; }

WeightType type_of(const Weight& weight) {
  if (!weight.narrow) return WeightType::fp32;
  return weight.dtype == WeightsDtype::int8 ? WeightType::int8 : WeightType::bf16;
}

std::int64_t value_bytes(WeightType type) { return type == WeightType::fp32 ? 4 : type == WeightType::bf16 ? 2 : 1; }

int groups_of(const Weight& weight) {
  return type_of(weight) == WeightType::int8 ? (weight.cols + kInt8Group - 1) / kInt8Group : 0;
}

/// Norms, biases, and matrices that look like them.
bool is_vector(const Weight& weight) { return weight.cols == 1 && !weight.narrow; }

/// Bytes between the rows of a matrix on the device.
std::int64_t stride_of(const Weight& weight) { return padded(weight.cols * value_bytes(type_of(weight))); }

const std::byte* bytes_of(const float* values) { return reinterpret_cast<const std::byte*>(values); }

Array<Matrix> table_of(Stream& stream, const DeviceModel& model, const std::vector<ExpertWeights>& experts,
                       Linear ExpertWeights::*which) {
  std::vector<Matrix> matrices;
  for (const ExpertWeights& expert : experts) matrices.push_back(model.of((expert.*which).weight).matrix());
  Array<Matrix> table(matrices.size());
  stream.to_device(table.data(), matrices.data(), table.bytes());
  stream.synchronize();
  return table;
}

}  // namespace

DeviceWeight::DeviceWeight(Staging& staging, const Weight& source) : source_(source) {
  source.make();
  matrix_ = {type_of(source), source.rows, source.cols, nullptr, stride_of(source), nullptr, groups_of(source)};
  values_ = Memory(std::size_t(source.rows * matrix_.stride));
  matrix_.data = values_.data();
  const std::int64_t used = source.cols * value_bytes(matrix_.type);
  const std::byte* const from = source.narrow ? source.narrow->row(0) : bytes_of(source.data());
  const std::int64_t from_stride = source.narrow ? source.narrow->format.bytes() : used;
  staging.copy(values_.data(), {from, from_stride, used, matrix_.stride, source.rows});
  if (matrix_.groups > 0) {
    const std::int64_t scales = 2 * std::int64_t(matrix_.groups);
    scales_ = Memory(std::size_t(source.rows * scales));
    matrix_.scales = reinterpret_cast<const std::uint16_t*>(scales_.data());
    staging.copy(scales_.data(), {from + used, from_stride, scales, scales, source.rows});
  }
  if (is_vector(source)) {
    vector_ = Memory(std::size_t(source.rows) * 4);
    staging.copy(vector_.data(), {bytes_of(source.data()), 4, 4, 4, source.rows});
  }
}

std::int64_t DeviceWeight::bytes(const Weight& source) {
  return source.rows * (stride_of(source) + 2 * groups_of(source) + (is_vector(source) ? 4 : 0));
}

std::int64_t WeightStore::missing_bytes(const ModelWeights& model) const {
  std::int64_t total = 0;
  std::set<const void*> counted;
  for_each_weight_of(model, [&](const Weight& weight) {
    if (!weight || !counted.insert(weight.id()).second) return;
    const auto found = known_.find(weight.id());
    if (found == known_.end() || found->second.expired()) total += DeviceWeight::bytes(weight);
  });
  return total;
}

std::shared_ptr<const DeviceModel> WeightStore::place(Stream& stream, const ModelWeights& model) {
  auto placed = std::make_shared<DeviceModel>();
  Staging staging(stream);
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  for_each_weight_of(model, [&](const Weight& weight) {
    if (!weight || placed->weights_.contains(weight.id())) return;
    std::shared_ptr<const DeviceWeight> on_device = known_[weight.id()].lock();
    if (!on_device) known_[weight.id()] = on_device = std::make_shared<const DeviceWeight>(staging, weight);
    placed->weights_.emplace(weight.id(), std::move(on_device));
  });
  stream.synchronize();
  for (const LayerWeights& layer : model.layers) {
    const auto& experts = layer.moe.experts;
    placed->tables_.push_back(experts.empty() ? nullptr : std::make_unique<ExpertTables>());
    if (experts.empty()) continue;
    *placed->tables_.back() = {table_of(stream, *placed, experts, &ExpertWeights::gate_proj),
                               table_of(stream, *placed, experts, &ExpertWeights::up_proj),
                               table_of(stream, *placed, experts, &ExpertWeights::down_proj)};
  }
  return placed;
}

}  // namespace mla::gpu
