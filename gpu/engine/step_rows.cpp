#include "gpu/engine/step_rows.h"

#include <algorithm>

namespace mla::gpu {

void StepRows::forget() noexcept {
  copies_.settle();  // into memory that may go away, or be written again
  for (Set& set : sets_) set.sent = false;
}

void StepRows::begin(const TraceShape& shape, const std::vector<int>& layers) {
  turn_ = 1 - turn_;
  Set& set = sets_[turn_];
  set.shape = shape;
  set.layers = layers;
  const std::size_t bytes = layers.size() * std::size_t(shape.bytes());
  if (set.device.bytes() >= bytes) return;
  set.device = {};
  set.device = Memory(bytes);
  set.host = {};
  set.host = Pinned(bytes);
}

RowTrace StepRows::place_of(int layer) const {
  const Set& set = sets_[turn_];
  const auto index = std::find(set.layers.begin(), set.layers.end(), layer) - set.layers.begin();
  return set.shape.place(set.device.data() + index * set.shape.bytes());
}

void StepRows::send(Stream& main) {
  Set& set = sets_[turn_];
  main.record(set.written);
  copies_.wait(set.written);
  copies_.to_host(set.host.data(), set.device.data(), set.layers.size() * std::size_t(set.shape.bytes()));
  copies_.record(set.copied);
  set.sent = true;
}

AttentionRows StepRows::fetch(bool all) {
  AttentionRows rows;
  read(sets_[1 - turn_], rows);
  if (all) read(sets_[turn_], rows);
  return rows;
}

void StepRows::read(Set& set, AttentionRows& rows) {
  if (!set.sent) return;
  set.copied.synchronize();
  for (std::size_t i = 0; i < set.layers.size(); ++i)
    set.shape.read(set.host.data() + i * std::size_t(set.shape.bytes()), set.layers[i], rows);
  set.sent = false;
}

}  // namespace mla::gpu
