#include <iostream>

#include "app/cli/command.h"
#include "core/model/model_catalog.h"
#include "core/spec/format.h"
#include "core/spec/parameters.h"

namespace mla {
namespace {

Outcome run() {
  for (const std::string& name : bundled_models()) {
    const Result<Experiment> experiment = experiment_of_model(name);
    if (!experiment) return failed(experiment.error().message);
    const ModelSpec& spec = experiment->spec;
    std::cout << name << ": " << title_of(spec.attention) << (spec.attention.elastic ? ", elastic" : "") << ", "
              << spec.num_hidden_layers << " layers, hidden " << spec.attention.hidden_size << ", heads "
              << spec.attention.num_attention_heads << ", " << format_count(parameter_count(spec, spec.num_hidden_layers))
              << " parameters, in " << model_directory(name) << '\n';
  }
  return {};
}

}  // namespace

Command add_models(CLI::App& program) {
  return {program.add_subcommand("models", "The bundled models, one a line, for --model"), run};
}

}  // namespace mla
