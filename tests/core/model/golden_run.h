#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "core/io/dump.h"
#include "core/io/file.h"
#include "core/io/safetensors.h"
#include "core/model/checkpoint.h"

namespace mla {

/// How a golden's input is fed.
enum class Feed { one_pass, token_by_token, mixed };

inline std::string golden_folder(const std::string& name) { return std::string(MLA_SOURCE_DIR) + "/tests/golden/" + name; }

/// A golden model that has processed its input, everything traced.
struct GoldenRun {
  std::unique_ptr<ComputeBackend> backend;
  std::unique_ptr<Decoder> decoder;
  std::vector<StepTrace> traces;
};

/// The golden's input: token ids, or vectors [count, hidden_size].
struct GoldenInput {
  std::vector<int> tokens;
  std::vector<float> hidden;
  int count = 0;
};

inline Result<GoldenInput> read_golden_input(const std::string& folder, const ModelSpec& spec) {
  GoldenInput input;
  if (spec.vocab_size > 0) {
    const Result<std::string> text = read_file(folder + "/tokens.json");
    if (!text) return text.error();
    input.tokens = nlohmann::json::parse(*text).get<std::vector<int>>();
    input.count = static_cast<int>(input.tokens.size());
    return input;
  }
  const Result<Safetensors> file = Safetensors::open(folder + "/inputs.safetensors");
  if (!file) return file.error();
  Result<std::vector<float>> x = read_fp32(*file, "x");
  if (!x) return x.error();
  input.hidden = std::move(*x);
  input.count = static_cast<int>(input.hidden.size()) / spec.attention.hidden_size;
  return input;
}

/// Feeds positions [from, from + count) in one pass.
inline Result<StepTrace> feed(Decoder& decoder, const GoldenInput& input, int from, int count, TraceRequest trace) {
  if (!input.tokens.empty()) return decoder.prefill(std::span(input.tokens).subspan(from, count), trace);
  const std::size_t d = decoder.experiment().spec.attention.hidden_size;
  return decoder.prefill_hidden(std::span(input.hidden).subspan(from * d, count * d), count, trace);
}

inline std::vector<int> pass_lengths(Feed feed, int count) {
  if (feed == Feed::one_pass) return {count};
  if (feed == Feed::token_by_token) return std::vector<int>(count, 1);
  return {3, 1, count - 4};
}

/// Feeds a golden's input to its model, everything traced.
inline Result<GoldenRun> run_model(const std::string& folder, const LoadedCheckpoint& model, AttentionPath path, Feed how,
                                   TraceRequest trace = {TraceRequest::Layers::all}) {
  const Result<GoldenInput> input = read_golden_input(folder, model.spec);
  if (!input) return input.error();
  Experiment experiment;
  experiment.spec = model.spec;
  experiment.layers = model.spec.num_hidden_layers;
  experiment.path = path;
  experiment.context = input->count;
  GoldenRun run{make_cpu_backend(), nullptr, {}};
  Result<std::unique_ptr<Decoder>> decoder = Decoder::create(experiment, *run.backend, model.weights);
  if (!decoder) return decoder.error();
  run.decoder = std::move(*decoder);
  run.decoder->keep_outputs(true);
  int from = 0;
  for (const int count : pass_lengths(how, input->count)) {
    Result<StepTrace> step = feed(*run.decoder, *input, from, count, trace);
    if (!step) return step.error();
    run.traces.push_back(std::move(*step));
    from += count;
  }
  return run;
}

/// Loads a golden model directory and runs it.
inline Result<GoldenRun> run_golden(const std::string& name, AttentionPath path, Feed how,
                                    TraceRequest trace = {TraceRequest::Layers::all}) {
  const Result<LoadedCheckpoint> model = load_checkpoint(golden_folder(name));
  if (!model) return model.error();
  return run_model(golden_folder(name), *model, path, how, trace);
}

}  // namespace mla
