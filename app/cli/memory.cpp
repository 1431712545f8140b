#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/experiment_options.h"
#include "app/cli/output.h"
#include "core/analysis/memory.h"
#include "core/spec/format.h"

namespace mla {
namespace {

nlohmann::ordered_json document_of(const std::vector<MemoryLine>& lines) {
  nlohmann::ordered_json variants = nlohmann::ordered_json::array();
  for (const MemoryLine& line : lines) {
    variants.push_back({{"variant", name_of(line.variant)},
                        {"attention", name_of(line.path)},
                        {"label", line.label},
                        {"bytes_per_token", line.bytes_per_token},
                        {"total_bytes", line.total_bytes}});
  }
  return {{"variants", variants}};
}

/// "3.6x", or a dash where the baseline holds nothing.
std::string ratio(std::int64_t bytes, std::int64_t baseline) {
  return baseline > 0 ? format_ratio(double(bytes) / double(baseline)) : "-";
}

void print_table(const Experiment& experiment, const std::vector<MemoryLine>& lines) {
  const MemoryLine& own = lines.front();
  std::cout << describe(experiment) << '\n'
            << "cache of all " << experiment.spec.num_hidden_layers << " layers at " << format_count(experiment.context)
            << " tokens, batch " << experiment.batch << ", " << name_of(experiment.cache_dtype) << "\n\n"
            << std::left << std::setw(22) << "" << std::right << std::setw(14) << "per token" << std::setw(14) << "in all"
            << "   against " << own.label << " (this experiment)\n";
  for (const MemoryLine& line : lines) {
    std::cout << std::left << std::setw(22) << line.label << std::right << std::setw(14)
              << format_bytes(line.bytes_per_token) << std::setw(14) << format_bytes(line.total_bytes) << "   "
              << ratio(line.total_bytes, own.total_bytes) << '\n';
  }
}

struct Options {
  explicit Options(CLI::App& parser) : experiment(parser) { add_json_option(parser, json); }
  ExperimentOptions experiment;
  std::string json;
};

Outcome run(const Options& options) {
  const Result<Experiment> experiment = options.experiment.build();
  if (!experiment) return misused(experiment.error().message);
  const std::vector<MemoryLine> lines = compare_memory(*experiment);
  if (!options.json.empty()) return outcome_of(write_json(document_of(lines), options.json));
  print_table(*experiment, lines);
  return {};
}

}  // namespace

Command add_memory(CLI::App& program) {
  CLI::App* parser = program.add_subcommand("memory", "Bytes of the KV cache per token and in all, by variant");
  return {parser, [options = std::make_shared<Options>(*parser)] { return run(*options); }};
}

}  // namespace mla
