#include "core/io/dump.h"

#include <algorithm>
#include <new>

#include "core/io/safetensors.h"

namespace mla {
namespace {

/// Maps over all layers, heads, queries and keys, filled row by row; what no row covers stays 0.
class MapTensor {
 public:
  MapTensor(std::string name, int layers, int heads, int tokens)
      : heads_(heads), tokens_(tokens), tensor_{std::move(name), {layers, heads, tokens, tokens}, {}} {
    tensor_.values.resize(std::size_t(layers) * heads * tokens * tokens);
  }
  /// `values` [heads, keys] of one query.
  void set(const AttentionRow& row, const std::vector<float>& values) {
    for (int h = 0; h < heads_; ++h) {
      const std::size_t line = (std::size_t(row.layer) * heads_ + h) * tokens_ + row.query;
      std::copy_n(values.data() + std::size_t(h) * row.keys, row.keys, tensor_.values.data() + line * tokens_);
    }
  }
  DumpTensor take() { return std::move(tensor_); }

 private:
  int heads_, tokens_;
  DumpTensor tensor_;
};

/// Which rows of attention have been seen; a dump needs them all.
class Coverage {
 public:
  Coverage(int layers, int tokens) : tokens_(tokens), seen_(std::size_t(layers) * tokens) {}
  void note(const AttentionRow& row) { seen_[std::size_t(row.layer) * tokens_ + row.query] = true; }
  Status complete() const {
    const auto gap = std::find(seen_.begin(), seen_.end(), false);
    if (gap == seen_.end()) return {};
    const int at = static_cast<int>(gap - seen_.begin());
    return Error{"dump: no attention was recorded of position " + std::to_string(at % tokens_) + " in layer " +
                 std::to_string(at / tokens_) + "; a dump needs every position (synthetic ones have none)"};
  }

 private:
  int tokens_;
  std::vector<bool> seen_;
};

Result<DumpTensor> dump_outputs(const Decoder& decoder) {
  const ModelSpec& spec = decoder.experiment().spec;
  const std::int64_t tokens = decoder.positions();
  const bool logits =
      static_cast<std::int64_t>(decoder.tokens().size()) > tokens;  // all that was fed, and the token chosen last
  const int width = logits ? spec.vocab_size : spec.attention.hidden_size;
  if (static_cast<std::int64_t>(decoder.outputs().size()) != tokens * width) {
    return Error{"dump: the outputs hold " + std::to_string(decoder.outputs().size()) + " values, not " +
                 std::to_string(tokens) + " positions of " + std::to_string(width) +
                 "; keep them from the first position on"};
  }
  return DumpTensor{logits ? "logits" : "outputs", {tokens, width}, decoder.outputs()};
}

Status dump_attention(const Decoder& decoder, const std::vector<StepTrace>& traces, std::vector<DumpTensor>& out) {
  const Experiment& run = decoder.experiment();
  const int layers = run.layers, heads = run.spec.attention.num_attention_heads, tokens = decoder.positions();
  MapTensor weights("attention", layers, heads, tokens), nope("scores_nope", layers, heads, tokens);
  const bool has_rope = run.spec.attention.qk_rope_head_dim > 0;
  MapTensor rope("scores_rope", has_rope ? layers : 0, heads, tokens);
  Coverage coverage(layers, tokens);
  for (const StepTrace& trace : traces) {
    for (const auto& row : trace.attention) {
      coverage.note(*row);
      weights.set(*row, row->weights);
      nope.set(*row, row->scores_nope);
      if (has_rope) rope.set(*row, row->scores_rope);
    }
  }
  if (Status status = coverage.complete(); !status) return status;
  out.push_back(weights.take());
  out.push_back(nope.take());
  if (has_rope) out.push_back(rope.take());
  return {};
}

/// The cache rows of all layers, split after `first` values into two tensors; the second is left out where it is empty.
void dump_cache(const Decoder& decoder, const char* first_name, int first, const char* second_name, int second,
                std::vector<DumpTensor>& out) {
  const int layers = decoder.experiment().layers, tokens = decoder.positions();
  DumpTensor left{first_name, {layers, tokens, first}, {}}, right{second_name, {layers, tokens, second}, {}};
  for (int l = 0; l < layers; ++l) {
    const std::vector<float> rows = decoder.executor().cache_rows(l);
    for (auto row = rows.begin(); row != rows.end(); row += first + second) {
      left.values.insert(left.values.end(), row, row + first);
      right.values.insert(right.values.end(), row + first, row + first + second);
    }
  }
  out.push_back(std::move(left));
  if (second > 0) out.push_back(std::move(right));
}

Result<std::vector<DumpTensor>> collect(const Decoder& decoder, const std::vector<StepTrace>& traces) {
  std::vector<DumpTensor> tensors;
  if (Status status = dump_attention(decoder, traces, tensors); !status) return status.error();
  Result<DumpTensor> outputs = dump_outputs(decoder);
  if (!outputs) return outputs.error();
  tensors.push_back(std::move(*outputs));
  const AttentionSpec& a = decoder.experiment().spec.attention;
  if (a.is_mla()) {
    dump_cache(decoder, "cache_latent", a.kv_lora_rank, "cache_rope", a.qk_rope_head_dim, tensors);
  } else {
    const int width = a.num_key_value_heads * a.head_dim();
    dump_cache(decoder, "cache_key", width, "cache_value", width, tensors);
  }
  return tensors;
}

}  // namespace

Result<std::vector<DumpTensor>> collect_dump(const Decoder& decoder, const std::vector<StepTrace>& traces) {
  try {
    return collect(decoder, traces);
  } catch (const std::bad_alloc&) {
    return Error{"dump: the maps of " + std::to_string(decoder.positions()) + " positions do not fit in memory"};
  }
}

Status write_dump(const std::string& path, const Decoder& decoder, const std::vector<StepTrace>& traces) {
  const Result<std::vector<DumpTensor>> tensors = collect_dump(decoder, traces);
  if (!tensors) return tensors.error();
  std::vector<NamedTensor> views;
  for (const DumpTensor& tensor : *tensors) views.push_back({tensor.name, tensor.shape, tensor.values});
  return write_safetensors(path, views);
}

}  // namespace mla
