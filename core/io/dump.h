#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/engine/decoder.h"
#include "core/engine/trace.h"
#include "core/spec/result.h"

namespace mla {

/// One tensor of a dump, row-major fp32.
struct DumpTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Everything a run has seen, over all T positions of sequence 0 and the layers that ran:
///   logits [T, vocab], or outputs [T, hidden_size] where vectors were fed;
///   attention [layers, heads, T, T] after the softmax, scores_nope and scores_rope alike (scaled; 0 above the diagonal);
///   MLA, on every path: cache_latent [layers, T, kv_lora_rank] after its norm, cache_rope [layers, T, qk_rope_head_dim]
///   after its rotation, pairs interleaved; the other variants: cache_key and cache_value [layers, T, num_key_value_heads *
///   head_dim].
/// A block without RoPE leaves the RoPE tensors out. The decoder must keep its outputs from the start and `traces` must hold
/// the attention of every layer and position, from prefill or steps; the error names what is missing.
Result<std::vector<DumpTensor>> collect_dump(const Decoder& decoder, const std::vector<StepTrace>& traces);

/// collect_dump, written as a safetensors file, whole or not at all.
Status write_dump(const std::string& path, const Decoder& decoder, const std::vector<StepTrace>& traces);

}  // namespace mla
