#pragma once

#include <string>
#include <vector>

#include "core/engine/decoder.h"
#include "core/spec/experiment.h"

namespace mla {

/// What decode starts from: token ids, vectors [count, hidden_size], or nothing.
struct DecodeInput {
  std::vector<int> tokens;
  std::vector<float> vectors;
  int width = 1;  ///< hidden_size of the vectors
  int count() const { return int(tokens.size() + vectors.size() / std::size_t(width)); }
};

/// "1,2,3", every id in the block's vocabulary; the error names what is wrong with `--tokens`.
Result<DecodeInput> input_from_tokens(const std::string& list, const ModelSpec& spec);

/// The text as the model's vocabulary encodes it; refused by name where it has no text.
Result<DecodeInput> input_from_prompt(const std::string& text, const Experiment& experiment);

/// Tensor `x` [T, hidden_size] of a safetensors file.
Result<DecodeInput> input_from_file(const std::string& path, const ModelSpec& spec);

/// Runs the input through the decoder in one pass; nothing where there is none.
Status feed(Decoder& decoder, const DecodeInput& input, TraceRequest trace, std::vector<StepTrace>& traces);

}  // namespace mla
