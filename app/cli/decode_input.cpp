#include "app/cli/decode_input.h"

#include "core/io/safetensors.h"
#include "core/model/vocabulary.h"
#include "core/spec/text.h"

namespace mla {
namespace {

Error no_vocabulary(const std::string& option) {
  return Error{option + ": this block has no vocabulary, it takes vectors (--inputs)"};
}

Error bad_token(std::string_view item, const ModelSpec& spec) {
  return Error{"--tokens: " + printable(item) + " is no token id from 0 to " + std::to_string(spec.vocab_size - 1)};
}

}  // namespace

Result<DecodeInput> input_from_tokens(const std::string& list, const ModelSpec& spec) {
  if (spec.vocab_size == 0) return no_vocabulary("--tokens");
  DecodeInput input;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view item = std::string_view(list).substr(begin, end - begin);
    const std::optional<int> id = parse_number<int>(item);
    if (!id || *id < 0 || *id >= spec.vocab_size) return bad_token(item, spec);
    input.tokens.push_back(*id);
    begin = end + 1;
  }
  return input;
}

Result<DecodeInput> input_from_prompt(const std::string& text, const Experiment& experiment) {
  if (experiment.spec.vocab_size == 0) return no_vocabulary("--prompt");
  if (text.empty()) return Error{"--prompt: is empty"};
  const Result<Vocabulary> vocabulary = vocabulary_of(experiment);
  if (!vocabulary) return Error{"--prompt: " + vocabulary.error().message};
  Result<std::vector<int>> tokens = vocabulary->encode(text, experiment.spec.vocab_size);
  if (!tokens) return Error{"--prompt: " + tokens.error().message};
  return DecodeInput{std::move(*tokens), {}};
}

Result<DecodeInput> input_from_file(const std::string& path, const ModelSpec& spec) {
  const Result<Safetensors> file = Safetensors::open(path);
  if (!file) return Error{"--inputs " + file.error().message};
  const TensorView* x = file->find("x");
  if (!x) return Error{"--inputs " + path + ": has no tensor x"};
  const int width = spec.attention.hidden_size;
  if (x->shape.size() != 2 || x->shape[1] != width || x->shape[0] < 1) {
    return Error{"--inputs " + path + ": tensor x is " + shape_text(x->shape) + ", the block takes [T, " +
                 std::to_string(width) + "]"};
  }
  Result<std::vector<float>> values = read_fp32(*file, "x");
  if (!values) return Error{"--inputs " + values.error().message};
  return DecodeInput{{}, std::move(*values), width};
}

Status feed(Decoder& decoder, const DecodeInput& input, TraceRequest trace, std::vector<StepTrace>& traces) {
  if (input.count() == 0) return {};
  Result<StepTrace> done = input.tokens.empty() ? decoder.prefill_hidden(input.vectors, input.count(), trace)
                                                : decoder.prefill(input.tokens, trace);
  if (!done) return done.error();
  traces.push_back(std::move(*done));
  return {};
}

}  // namespace mla
