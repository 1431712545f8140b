#include "core/analysis/pooled_map.h"

#include <algorithm>
#include <cassert>

namespace mla {

std::string_view name_of(MapValue value) {
  switch (value) {
    case MapValue::weight:
      return "weight";
    case MapValue::score:
      return "score";
    case MapValue::nope:
      return "nope";
    case MapValue::rope:
      return "rope";
  }
  return "";
}

namespace {

/// The array that holds the value, or its first summand.
const std::vector<float>& first_part(const AttentionRow& row, MapValue value) {
  if (value == MapValue::weight) return row.weights;
  return value == MapValue::rope ? row.scores_rope : row.scores_nope;
}

}  // namespace

float cell(const AttentionRow& row, int head, int key, MapValue value) {
  const std::size_t i = std::size_t(head) * row.keys + key;
  const auto at = [i](const std::vector<float>& values) { return i < values.size() ? values[i] : 0.0f; };
  return at(first_part(row, value)) + (value == MapValue::score ? at(row.scores_rope) : 0.0f);
}

PooledMaps::PooledMaps(int heads, int size, MapValue value)
    : heads_(heads), size_(size), value_(value), cells_(std::size_t(heads) * size * size, empty) {
  assert(heads >= 0 && size >= 1);
}

int PooledMaps::used() const { return (queries_ + stride_ - 1) / stride_; }

void PooledMaps::add(const AttentionRow& row) {
  assert(row.query >= queries_ && row.heads == heads_);
  queries_ = row.query + 1;
  ++rows_;
  while (used() > size_) halve();
  const std::vector<float>& first = first_part(row, value_);
  const std::vector<float>* second = value_ == MapValue::score && !row.scores_rope.empty() ? &row.scores_rope : nullptr;
  const std::size_t line = std::size_t(row.query / stride_) * size_;
  for (int head = 0; head < heads_; ++head) {
    const std::size_t start = std::size_t(head) * row.keys;
    float* cells = cells_.data() + std::size_t(head) * size_ * size_ + line;
    for (int key = 0; key < row.keys; ++cells) {
      const int end = std::min(row.keys, key + stride_);
      float largest = *cells;
      for (; key < end; ++key) {
        const std::size_t i = start + key;
        const float value = (first.empty() ? 0.0f : first[i]) + (second ? (*second)[i] : 0.0f);
        largest = std::max(largest, value);
      }
      *cells = largest;
    }
  }
}

void PooledMaps::halve() {
  stride_ *= 2;
  std::vector<float> pooled(cells_.size(), empty);
  for (int head = 0; head < heads_; ++head) {
    const std::size_t start = std::size_t(head) * size_ * size_;
    for (int i = 0; i < size_; ++i) {
      for (int j = 0; j <= i; ++j) {
        float& target = pooled[start + std::size_t(i / 2) * size_ + j / 2];
        target = std::max(target, cells_[start + std::size_t(i) * size_ + j]);
      }
    }
  }
  cells_ = std::move(pooled);
}

}  // namespace mla
