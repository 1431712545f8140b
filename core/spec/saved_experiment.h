#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/experiment.h"
#include "core/spec/result.h"

namespace mla {

/// What a person chose in one view: option, e.g. "colours", and choice, e.g. "log".
using ViewState = std::map<std::string, std::string>;

/// What a `.mla.json` file holds: an experiment, and how it was looked at.
struct SavedExperiment {
  Experiment experiment;
  std::vector<Experiment> pinned;          ///< runs it was compared with, the one beside it first
  std::map<std::string, ViewState> views;  ///< by view name; views and options without an entry stay as they are
  bool operator==(const SavedExperiment&) const = default;
};

/// The JSON of the file (format version 1): that of the experiment, with "pinned" and "views" where there is something to
/// say.
std::string to_json(const SavedExperiment& saved);

/// The experiment that runs a model as it is, by name or directory.
using ModelLookup = std::function<Result<Experiment>(const std::string& model)>;

/// Reads what either to_json wrote. What a file leaves out is as in the preset or, given `of_model`, the model that it
/// names. Every experiment in it is validated; which views there are is not known here. `source` names the file in errors.
Result<SavedExperiment> saved_experiment_from_json(std::string_view text, std::string_view source,
                                                   const ModelLookup& of_model = {});

}  // namespace mla
