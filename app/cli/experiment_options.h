#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/saved_experiment.h"

namespace mla {

/// The options that determine an experiment, the same for every subcommand: --model, --preset, --experiment to start from,
/// and one for each setting that `apply` knows.
class ExperimentOptions {
 public:
  explicit ExperimentOptions(CLI::App& parser);
  ExperimentOptions(const ExperimentOptions&) = delete;  // the parser points into it
  ExperimentOptions& operator=(const ExperimentOptions&) = delete;

  /// The experiment that the options describe, settings applied in the order of setting_names() whatever their order on the
  /// command line, and validated. The error names the option as it was typed, its value and the rule.
  Result<Experiment> build() const;
  /// The same with what else the file of --experiment holds.
  Result<SavedExperiment> build_saved() const;
  /// What --experiment names; empty: nothing.
  const std::string& file() const { return file_; }

 private:
  struct Entry {
    std::string_view name;
    std::string value;
    CLI::Option* option;
  };
  Result<SavedExperiment> start() const;
  Result<Experiment> start_unsaved() const;

  std::string model_;
  std::string preset_;
  std::string file_;
  std::vector<Entry> settings_;
};

/// Adds `--json FILE|-`, checked for a place that can be written to.
void add_json_option(CLI::App& parser, std::string& target);

/// Adds an option that names a file to be written, checked likewise.
CLI::Option* add_output_option(CLI::App& parser, const std::string& name, std::string& path, const std::string& help);

}  // namespace mla
