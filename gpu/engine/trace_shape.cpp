#include "gpu/engine/trace_shape.h"

#include <cstring>

namespace mla::gpu {

RowTrace TraceShape::place(std::byte* at) const {
  float* const values = reinterpret_cast<float*>(at);
  return {values, values + array_values(), rope ? values + 2 * array_values() : nullptr, stride};
}

void TraceShape::read(const std::byte* at, int layer, AttentionRows& rows) const {
  const float* const values = reinterpret_cast<const float*>(at);
  for (int i = from; i < positions; ++i) {
    auto row = std::make_shared<AttentionRow>();
    row->layer = layer;
    row->query = first + i;
    row->heads = heads;
    row->keys = row->query + 1;
    const auto copy = [&](int part, std::vector<float>& to) {
      to.resize(std::size_t(heads) * row->keys);
      for (int h = 0; h < heads; ++h)
        std::memcpy(to.data() + std::size_t(h) * row->keys,
                    values + part * array_values() + (std::int64_t(i) * heads + h) * stride,
                    std::size_t(row->keys) * sizeof(float));
    };
    copy(0, row->weights);
    copy(1, row->scores_nope);
    if (rope) copy(2, row->scores_rope);
    rows.push_back(std::move(row));
  }
}

std::int64_t step_stride(int keys) {
  std::int64_t step = kPageTokens;
  while (step * 8 <= keys) step *= 2;
  return (keys + step - 1) / step * step;
}

}  // namespace mla::gpu
