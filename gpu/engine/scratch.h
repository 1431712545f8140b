#pragma once

#include <array>
#include <cstdint>

#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// What lies in device memory between the kernels of a pass.
enum class Slot {
  hidden,         ///< [rows, d]
  normed,         ///< [rows, d]
  added,          ///< [rows, d]: what is added to the residual
  query_latent,   ///< [rows, q_lora_rank]
  query,          ///< [rows, H (n + r)]
  q_nope,         ///< [rows, H, n]
  q_rope,         ///< [rows, H, r]
  q_folded,       ///< [rows, H, c]
  compressed,     ///< [rows, c + r], the trained c
  projected,      ///< [rows, c + r] under the rank lens
  up,             ///< [rows, H (n + v)]
  row,            ///< [rows, row values]
  sums,           ///< [rows, H, summed values]
  heads,          ///< [rows, H v]
  inner,          ///< [rows, f]
  inner_up,       ///< [rows, f]
  router,         ///< [rows, experts] logits
  router_scores,  ///< [rows, 3, experts] doubles
  route_experts,  ///< [rows, top_k] ints
  route_weights,  ///< [rows, top_k]
  visit_order,    ///< [visits] ints
  visit_tiles,    ///< [most tiles]
  visit_inner,    ///< [visits, f]
  visit_up,       ///< [visits, f]
  visit_made,     ///< [visits, d]
  shared,         ///< [rows, d]: the shared experts'
  logits,         ///< [rows, vocab]
  tokens,         ///< [batch] ints
  token_weights,  ///< [batch, vocab] doubles
  attention,      ///< bytes: attention_workspace
  rebuilt,        ///< [keys, expanded row of some heads]
  rebuilt_pages,  ///< [pages] pointers
  latents,        ///< [tokens, c + r]: decoded, to be expanded
  some_nope,      ///< queries of some heads
  some_rope,
  some_sums,
  some_weights,  ///< traces of some heads
  some_trace_nope,
  some_trace_rope,
  read,  ///< rows that the host asked for
};
inline constexpr int kSlots = int(Slot::read) + 1;

/// Those buffers. They grow and stay; when one has moved, graphs that were captured are void.
class Scratch {
 public:
  /// Throws Failure.
  template <class T = float>
  T* get(Slot slot, std::int64_t size) {
    return reinterpret_cast<T*>(bytes(slot, std::size_t(size) * sizeof(T)));
  }
  /// Counts the moves.
  int generation() const { return generation_; }

 private:
  std::byte* bytes(Slot slot, std::size_t size) {
    Memory& memory = memory_[std::size_t(slot)];
    if (memory.bytes() < size) {
      memory = {};  // the old one first, so that there is room
      memory = Memory(size);
      ++generation_;
    }
    return memory.data();
  }

  std::array<Memory, std::size_t(kSlots)> memory_;
  int generation_ = 0;
};

}  // namespace mla::gpu
