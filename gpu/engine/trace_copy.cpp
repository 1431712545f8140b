#include "gpu/engine/trace_copy.h"

#include <algorithm>

namespace mla::gpu {

void TraceCopy::begin(Stream& main, const TraceShape& shape, int layers) {
  main_ = &main;
  shape_ = shape;
  layers_.clear();
  rows_.clear();
  read_ = 0;
  while (copied_.size() < std::size_t(layers)) copied_.emplace_back();
  for (std::size_t i = 0; i < std::min(std::size_t(layers), kSlots); ++i) {
    if (device_[i].bytes() >= slot_bytes()) continue;
    device_[i] = {};
    device_[i] = Memory(slot_bytes());
    host_[i] = {};
    host_[i] = Pinned(slot_bytes());
  }
}

RowTrace TraceCopy::next(int layer) {
  const std::size_t index = layers_.size();
  if (index >= kSlots) {
    main_->wait(copied_[index - kSlots]);
    copied_[index - kSlots].synchronize();
    read(index - kSlots);
  }
  layers_.push_back(layer);
  return shape_.place(device_[index % kSlots].data());
}

void TraceCopy::send() {
  const std::size_t index = layers_.size() - 1, slot = index % kSlots;
  main_->record(written_[slot]);
  copies_.wait(written_[slot]);
  copies_.to_host(host_[slot].data(), device_[slot].data(), slot_bytes());
  copies_.record(copied_[index]);
}

void TraceCopy::end() {
  if (!layers_.empty()) main_->wait(copied_[layers_.size() - 1]);
}

AttentionRows TraceCopy::take() {
  while (read_ < layers_.size()) read(read_);
  return std::exchange(rows_, {});
}

void TraceCopy::read(std::size_t index) {
  shape_.read(host_[index % kSlots].data(), layers_[index], rows_);
  read_ = index + 1;
}

}  // namespace mla::gpu
