#include "gpu/engine/reexpansion.h"

#include <algorithm>
#include <bit>

#include "gpu/ops/cache_rows.h"

namespace mla::gpu {
namespace {

constexpr int kTokens = 1024;  // that are rebuilt at a time

/// Keys for which there is room, so that it does not move with every token.
std::int64_t room_for(std::int64_t keys) {
  const std::int64_t step = std::max<std::int64_t>(kPageTokens, std::int64_t(std::bit_floor(std::uint64_t(keys))) / 4);
  return (keys + step - 1) / step * step;
}

}  // namespace

Reexpansion::Reexpansion(const ModelSpec& spec)
    : a_(spec.attention), toy_(spec.block == BlockKind::toy), nope_(toy_ ? 0 : a_.qk_nope_head_dim) {}

int Reexpansion::row_values(int heads) const {
  return toy_ ? a_.kv_lora_rank + heads * a_.v_head_dim : heads * (a_.head_dim() + a_.v_head_dim);
}

int Reexpansion::heads_at(std::int64_t keys) const {
  int heads = a_.num_attention_heads;
  while (heads > 1 && room_for(keys) * row_values(heads) * 4 > kMostBytes) heads = (heads + 1) / 2;
  return heads;
}

std::int64_t Reexpansion::bytes(std::int64_t keys) const { return room_for(keys) * row_values(heads_at(keys)) * 4; }

KvLayout Reexpansion::layout(int heads) const {
  const int n = a_.qk_nope_head_dim, r = a_.qk_rope_head_dim, v = a_.v_head_dim, c = a_.kv_lora_rank;
  KvLayout l{.kv_heads = heads, .nope = n, .rope = r, .value = v, .value_stride = v};
  if (toy_) {
    l.value_offset = c;
  } else {
    l.nope_stride = l.rope_stride = n + r;
    l.rope_offset = n;
    l.value_offset = heads * (n + r);
  }
  return l;
}

void Reexpansion::attend(const AttentionWeights& weights, const DeviceAttention& problem, int keys, DeviceCompute& compute) {
  const int together = heads_at(keys);
  for (int b = 0; b < problem.batch; ++b)
    for (int h = 0; h < problem.heads; h += together) {
      const int heads = std::min(together, problem.heads - h);
      const CacheView rebuilt = rebuild(weights, problem.cache, b, h, heads, keys, compute);
      attend_heads(problem, rebuilt, b, h, heads, keys, compute);
    }
}

CacheView Reexpansion::rebuild(const AttentionWeights& weights, const CacheView& cache, int sequence, int head, int heads,
                               int keys, DeviceCompute& compute) {
  const int width = cache.row.values, values = row_values(heads), made = heads * up_rows();
  float* const rows = compute.scratch.get(Slot::rebuilt, room_for(keys) * values);
  float* const latents = compute.scratch.get(Slot::latents, std::int64_t(kTokens) * width);
  float* const up = compute.scratch.get(Slot::up, std::int64_t(kTokens) * made);
  const float* const bias = compute.vector(weights.kv_b_proj.bias);
  for (int first = 0; first < keys; first += kTokens) {
    const int count = std::min(kTokens, keys - first);
    read_rows(compute.stream, cache, {sequence, first, count, width}, {latents, width});
    Product product = linear(compute.matrix(weights.kv_b_proj.weight), bias ? bias + head * a_.v_head_dim : nullptr,
                             {latents, width}, count, {up, made});
    product.first_row = head * up_rows();
    product.n = made;
    multiply(compute.stream, compute.device, product);
    expand_rows(compute.stream, {up,
                                 {latents, width},
                                 {rows + std::int64_t(first) * values, values},
                                 count,
                                 heads,
                                 nope_,
                                 toy_ ? 0 : a_.qk_rope_head_dim,
                                 a_.v_head_dim,
                                 a_.kv_lora_rank,
                                 toy_});
  }
  return pages_of(rows, heads, keys, compute);
}

CacheView Reexpansion::pages_of(float* rows, int heads, int keys, DeviceCompute& compute) {
  const int values = row_values(heads), count = (keys + kPageTokens - 1) / kPageTokens;
  const std::byte** const table = compute.scratch.get<const std::byte*>(Slot::rebuilt_pages, room_for(keys) / kPageTokens);
  CacheView view;
  view.row = row_layout({{values}}, CacheDtype::fp32);
  view.pages = table;
  view.sequence_bytes = std::int64_t(kPageTokens) * view.row.bytes;
  if (const Pages wanted{rows, values, count}; wanted != pages_) {
    std::vector<const std::byte*> addresses;
    for (int i = 0; i < count; ++i) addresses.push_back(reinterpret_cast<const std::byte*>(rows) + i * view.sequence_bytes);
    compute.stream.to_device(table, addresses.data(), addresses.size() * sizeof addresses[0]);
    compute.stream.synchronize();  // before `addresses` go
    pages_ = wanted;
  }
  return view;
}

void Reexpansion::attend_heads(const DeviceAttention& problem, const CacheView& rebuilt, int sequence, int head, int heads,
                               int keys, DeviceCompute& compute) const {
  const KvLayout l = layout(heads);
  const bool traced = problem.trace.weights && sequence == 0;
  // [positions, heads, width] of this sequence and these heads, within arrays of all or apart from them.
  const auto copy = [&](float* all, float* some, int width, int sequences, bool back) {
    const std::int64_t stride = std::int64_t(sequences) * problem.heads * width;
    float* const at = all + (std::int64_t(sequences > 1 ? sequence : 0) * problem.heads + head) * width;
    const std::int64_t packed = std::int64_t(heads) * width;
    copy_block(compute.stream, back ? BlockCopy{some, at, packed, 0, stride, 0, problem.positions, 1, int(packed)}
                                    : BlockCopy{at, some, stride, 0, packed, 0, problem.positions, 1, int(packed)});
  };
  const auto room = [&](Slot slot, std::int64_t width) {
    return compute.scratch.get(slot, std::int64_t(problem.positions) * heads * width);
  };
  DeviceAttention part = problem;
  part.cache = rebuilt;
  part.layout = l;
  part.batch = 1;
  part.heads = heads;
  part.most_keys = keys;
  float *const nope = room(Slot::some_nope, l.nope), *const rope = room(Slot::some_rope, l.rope);
  copy(const_cast<float*>(problem.q_nope), nope, l.nope, problem.batch, false);
  copy(const_cast<float*>(problem.q_rope), rope, l.rope, problem.batch, false);
  part.q_nope = nope;
  part.q_rope = rope;
  part.out = room(Slot::some_sums, l.value);
  part.trace = {};
  if (traced) {
    const std::int64_t stride = problem.trace.stride;
    part.trace = {room(Slot::some_weights, stride), room(Slot::some_trace_nope, stride),
                  problem.trace.rope ? room(Slot::some_trace_rope, stride) : nullptr, stride};
  }
  std::byte* const workspace = compute.scratch.get<std::byte>(Slot::attention, attention_workspace(compute.device, part));
  gpu::attend(compute.stream, compute.device, part, workspace);
  copy(problem.out, part.out, l.value, problem.batch, true);
  if (!traced) return;
  copy(problem.trace.weights, part.trace.weights, int(problem.trace.stride), 1, true);
  copy(problem.trace.nope, part.trace.nope, int(problem.trace.stride), 1, true);
  if (problem.trace.rope) copy(problem.trace.rope, part.trace.rope, int(problem.trace.stride), 1, true);
}

}  // namespace mla::gpu
