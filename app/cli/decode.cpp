#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/backends.h"
#include "app/cli/command.h"
#include "app/cli/decode_input.h"
#include "app/cli/experiment_options.h"
#include "app/cli/output.h"
#include "core/analysis/memory.h"
#include "core/engine/run.h"
#include "core/io/dump.h"
#include "core/spec/format.h"

namespace mla {
namespace {

struct Options {
  explicit Options(CLI::App& parser);
  ExperimentOptions experiment;
  std::string prompt, tokens, inputs, dump, json;
  CLI::Option *prompt_given, *tokens_given, *inputs_given;
  std::optional<int> steps;

  int step_count() const { return steps.value_or(tokens_given->count() || inputs_given->count() ? 0 : 64); }
};

Options::Options(CLI::App& parser) : experiment(parser) {
  prompt_given = parser.add_option("--prompt", prompt, "text to continue")->type_name("TEXT");
  tokens_given = parser.add_option("--tokens", tokens, "token ids to start from, as 1,2,3")->type_name("IDS");
  inputs_given =
      parser.add_option("--inputs", inputs, "safetensors file with vectors x [T, hidden_size] to feed")->type_name("FILE");
  prompt_given->excludes(tokens_given)->excludes(inputs_given);
  tokens_given->excludes(inputs_given);
  parser.add_option("--steps", steps, "tokens to generate (64; 0 with --tokens or --inputs)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  add_output_option(parser, "--dump", dump, "safetensors file for outputs, attention, scores and cache");
  add_json_option(parser, json);
}

/// A decode that has been run.
struct Run {
  Experiment experiment;
  Vocabulary vocabulary;
  bool random_weights = false;
  BackendInfo backend;
  std::unique_ptr<Decoder> decoder;
  std::vector<StepTrace> traces;  // the input in one pass, then the steps
  std::size_t first_step = 0;

  std::span<const StepTrace> steps() const { return std::span(traces).subspan(first_step); }
  /// The tokens that were processed; the one chosen last was not.
  std::span<const int> tokens() const {
    const std::vector<int>& all = decoder->tokens();
    return std::span(all).first(all.empty() ? 0 : all.size() - 1);
  }
};

Result<DecodeInput> read_input(const Options& options, const Experiment& experiment) {
  if (options.tokens_given->count()) return input_from_tokens(options.tokens, experiment.spec);
  if (options.inputs_given->count()) return input_from_file(options.inputs, experiment.spec);
  if (options.prompt_given->count()) return input_from_prompt(options.prompt, experiment);
  Result<std::vector<int>> tokens = prompt_of(experiment);
  if (!tokens) return tokens.error();
  return DecodeInput{std::move(*tokens), {}};
}

/// The dump is quadratic in the tokens: refuses, with both figures, what would not fit. The engine's rows and the tensors
/// made from them are held at once.
Status check_dump_fits(const Experiment& experiment, std::int64_t tokens) {
  const std::int64_t squares = std::int64_t(experiment.layers) * experiment.spec.attention.num_attention_heads * 3 * 4;
  const std::int64_t bytes = squares * tokens * tokens * 3 / 2, available = available_memory();
  if (bytes <= available) return {};
  return Error{"--dump: the attention of " + format_count(tokens) + " tokens takes " + format_bytes(bytes) + ", and " +
               format_bytes(available) + " of memory are free"};
}

/// What is wrong with the amount of work asked for, if anything.
Status check_length(const Options& options, const Experiment& experiment, const DecodeInput& input) {
  const int steps = options.step_count();
  if (options.inputs_given->count() && steps > 0) {
    return Error{"--steps " + std::to_string(steps) + ": --inputs gives all vectors there are, so no step can follow"};
  }
  const std::int64_t tokens = std::int64_t(experiment.prefill) + input.count() + steps;
  if (tokens <= experiment.context) return options.dump.empty() ? Status{} : check_dump_fits(experiment, tokens);
  return Error{"--context " + std::to_string(experiment.context) + ": too short for " + std::to_string(experiment.prefill) +
               " prefilled, " + std::to_string(input.count()) + " given and " + std::to_string(steps) + " generated tokens"};
}

Status decode(const Options& options, const DecodeInput& input, Run& run) {
  const TraceRequest trace{options.dump.empty() ? TraceRequest::Layers::none : TraceRequest::Layers::all, 0};
  run.decoder->keep_outputs(!options.dump.empty());
  if (Status fed = feed(*run.decoder, input, trace, run.traces); !fed) return fed;
  run.first_step = run.traces.size();
  for (int i = 0; i < options.step_count(); ++i) {
    Result<StepTrace> step = run.decoder->step(trace);
    if (!step) return step.error();
    run.traces.push_back(std::move(*step));
  }
  return {};
}

nlohmann::ordered_json json_of(const StepTrace& step) {
  nlohmann::ordered_json stages;
  for (int i = 0; i < kStages; ++i) stages[std::string(name_of(Stage(i)))] = step.stages[i];
  return {{"ms", step.ms},
          {"cache_bytes", step.cache_bytes},
          {"cache_allocated_bytes", step.cache_allocated_bytes},
          {"stages", stages},
          {"attention_stages_by", name_of(step.split)},
          {"operations", step.work.operations},
          {"bytes", step.work.bytes()}};
}

nlohmann::ordered_json document_of(const Run& run) {
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const StepTrace& step : run.steps()) steps.push_back(json_of(step));
  const bool any = !run.traces.empty();
  return {{"text", run.vocabulary.decode(run.tokens())},
          {"tokens", run.tokens()},
          {"steps", steps},
          {"cache_bytes", any ? run.traces.back().cache_bytes : 0},
          {"cache_allocated_bytes", any ? run.traces.back().cache_allocated_bytes : 0},
          {"backend", run.backend.name},
          {"layers_run", run.experiment.layers},
          {"layers", run.experiment.spec.num_hidden_layers}};
}

double median_ms(std::span<const StepTrace> steps) {
  std::vector<double> times;
  for (const StepTrace& step : steps) times.push_back(step.ms);
  if (times.empty()) return 0;
  std::nth_element(times.begin(), times.begin() + std::ptrdiff_t(times.size() / 2), times.end());
  return times[times.size() / 2];
}

void print_summary(const Run& run) {
  for (const int token : run.tokens()) std::cout << run.vocabulary.display(token);
  if (!run.tokens().empty()) std::cout << "\n\n";
  const std::int64_t bytes = run.traces.empty() ? 0 : run.traces.back().cache_bytes;
  const int positions = run.decoder->positions();
  std::cout << describe(run.experiment) << '\n' << format_count(positions) << (positions == 1 ? " token" : " tokens");
  if (!run.steps().empty())
    std::cout << ", " << run.steps().size() << " of them one by one at a median of " << format_ms(median_ms(run.steps()))
              << "/token";
  std::cout << " · cache " << format_bytes(bytes);
  if (positions > 0) std::cout << " (" << format_bytes(bytes / positions) << "/token)";
  std::cout << " · " << run.backend.name << ": " << run.backend.detail << '\n';
  if (run.random_weights) std::cout << "Random weights: bytes and times are real, the output means nothing.\n";
  if (run.experiment.layers < run.experiment.spec.num_hidden_layers) {
    std::cout << "Ran " << run.experiment.layers << " of " << run.experiment.spec.num_hidden_layers
              << " layers (--layers).\n";
  }
}

Outcome report(const Options& options, const Run& run) {
  if (!options.dump.empty()) {
    if (const Status dumped = write_dump(options.dump, *run.decoder, run.traces); !dumped) return outcome_of(dumped);
  }
  if (!options.json.empty()) return outcome_of(write_json(document_of(run), options.json));
  print_summary(run);
  return {};
}

Outcome run_decode(const Options& options) {
  const Result<Experiment> experiment = options.experiment.build();
  if (!experiment) return misused(experiment.error().message);
  const Result<DecodeInput> input = read_input(options, *experiment);
  if (!input) return misused(input.error().message);
  if (const Status fits = check_length(options, *experiment, *input); !fits) return misused(fits.error().message);
  const auto backends = make_backends();
  const Result<ComputeBackend*> backend = find_backend(backends, experiment->backend);
  if (!backend) return failed(backend.error().message);
  const Result<LoadedModel> model = load(*experiment);
  if (!model) return failed(model.error().message);
  Result<std::unique_ptr<Decoder>> decoder = Decoder::create(model->experiment, **backend, model->weights);
  if (!decoder) return failed(decoder.error().message);
  Run run{model->experiment, model->vocabulary, model->weights->random, (*backend)->probe(), std::move(*decoder), {}, 0};
  const Status decoded = decode(options, *input, run);
  return decoded ? report(options, run) : failed(decoded.error().message);
}

}  // namespace

Command add_decode(CLI::App& program) {
  CLI::App* parser = program.add_subcommand("decode", "Decodes token by token and reports time and cache of each");
  return {parser, [options = std::make_shared<Options>(*parser)] { return run_decode(*options); }};
}

}  // namespace mla
