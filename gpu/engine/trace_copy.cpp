#include "gpu/engine/trace_copy.h"

#include <algorithm>
#include <cstring>

namespace mla::gpu {

void TraceCopy::begin(Stream& main, const TraceShape& shape, int layers, bool at_once) {
  main_ = &main;
  shape_ = shape;
  layers_.clear();
  rows_.clear();
  read_ = 0;
  if (layers == 0) return;
  host_slots_ = std::size_t(at_once ? layers : std::min(layers, 2));
  while (copied_.size() < std::size_t(layers)) copied_.emplace_back();
  bool moved = host_.bytes() < host_slots_ * slot_bytes();
  if (moved) host_ = Pinned(host_slots_ * slot_bytes());
  for (int i = 0; i < std::min(layers, 2); ++i) {
    if (device_[i].bytes() >= slot_bytes()) continue;
    device_[i] = {};
    device_[i] = Memory(slot_bytes());
    moved = true;
  }
  generation_ += moved;
}

void TraceCopy::repeat(const TraceShape& shape, const std::vector<int>& layers) {
  shape_ = shape;
  layers_ = layers;
  host_slots_ = layers.size();
  read_ = 0;
  rows_.clear();
}

RowTrace TraceCopy::next(int layer) {
  const std::size_t index = layers_.size();
  if (index >= 2) main_->wait(copied_[index - 2]);
  if (index >= host_slots_) {
    copied_[index - host_slots_].synchronize();
    read(index - host_slots_);
  }
  layers_.push_back(layer);
  float* const at = reinterpret_cast<float*>(device_[index % 2].data());
  return {at, at + array_values(), shape_.rope ? at + 2 * array_values() : nullptr, shape_.stride};
}

void TraceCopy::send() {
  const std::size_t index = layers_.size() - 1;
  main_->record(written_[index % 2]);
  copies_.wait(written_[index % 2]);
  copies_.to_host(host_.data() + index % host_slots_ * slot_bytes(), device_[index % 2].data(), slot_bytes());
  copies_.record(copied_[index]);
}

void TraceCopy::end() {
  if (!layers_.empty()) main_->wait(copied_[layers_.size() - 1]);
}

std::vector<std::shared_ptr<const AttentionRow>> TraceCopy::take() {
  while (read_ < layers_.size()) read(read_);
  return std::exchange(rows_, {});
}

void TraceCopy::read(std::size_t index) {
  const float* const slot = reinterpret_cast<const float*>(host_.data() + index % host_slots_ * slot_bytes());
  for (int i = shape_.from; i < shape_.positions; ++i) {
    auto row = std::make_shared<AttentionRow>();
    row->layer = layers_[index];
    row->query = shape_.first + i;
    row->heads = shape_.heads;
    row->keys = row->query + 1;
    const auto copy = [&](int part, std::vector<float>& to) {
      to.resize(std::size_t(row->heads) * row->keys);
      for (int h = 0; h < row->heads; ++h)
        std::memcpy(to.data() + std::size_t(h) * row->keys,
                    slot + part * array_values() + (std::int64_t(i) * row->heads + h) * shape_.stride,
                    std::size_t(row->keys) * sizeof(float));
    };
    copy(0, row->weights);
    copy(1, row->scores_nope);
    if (shape_.rope) copy(2, row->scores_rope);
    rows_.push_back(std::move(row));
  }
  read_ = index + 1;
}

}  // namespace mla::gpu
