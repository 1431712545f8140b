#include "core/model/model_catalog.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "core/io/file.h"
#include "core/model/checkpoint.h"

namespace mla {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kBundled{kFairyTales, "fairy-tales-mha", "fairy-tales-gqa", "fairy-tales-mqa"};
constexpr double kLivelyTemperature = 0.7;  // greedy text of a small model goes round in circles
constexpr int kLongestContext = 4096;       // of a fresh experiment

/// Beside the program when it was installed, else where it was built from.
const fs::path& models_folder() {
  static const fs::path folder = [] {
    std::error_code failed;
    const fs::path program = fs::read_symlink("/proc/self/exe", failed);
    const fs::path installed = program.parent_path().parent_path() / "share" / "mla-explorer" / "models";
    return !failed && fs::is_directory(installed, failed) ? installed : fs::path(MLA_MODELS_FOLDER);
  }();
  return folder;
}

bool is_bundled(std::string_view name) { return std::find(kBundled.begin(), kBundled.end(), name) != kBundled.end(); }

}  // namespace

std::vector<std::string> bundled_models() {
  std::vector<std::string> names;
  std::error_code failed;
  for (const std::string_view name : kBundled)
    if (fs::exists(models_folder() / name / "model.safetensors", failed)) names.emplace_back(name);
  return names;
}

std::string model_directory(const std::string& model) {
  return is_bundled(model) ? (models_folder() / model).string() : model;
}

Result<Experiment> experiment_of_model(const std::string& model) {
  const std::string directory = model_directory(model);
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    std::string known;
    for (const std::string& name : bundled_models()) known += (known.empty() ? "" : ", ") + name;
    return Error{model + ": no such model directory, and of the bundled models there are " + known};
  }
  const Result<ModelSpec> spec = read_model_spec(directory);
  if (!spec) return spec.error();
  Experiment experiment = default_experiment();
  experiment.model = model;
  experiment.spec = *spec;
  experiment.layers = spec->num_hidden_layers;
  experiment.context = std::min(spec->max_position_embeddings, kLongestContext);
  if (!spec->attention.is_mla()) experiment.path = AttentionPath::expanded;
  return experiment;
}

Result<SavedExperiment> read_saved_experiment(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) return text.error();
  return saved_experiment_from_json(*text, path, experiment_of_model);
}

Experiment first_experiment() {
  Result<Experiment> bundled = experiment_of_model(std::string(kFairyTales));
  if (!bundled) return default_experiment();
  bundled->sampling.temperature = kLivelyTemperature;
  return *bundled;
}

Result<std::string> held_out_excerpt() { return read_file((models_folder() / kFairyTales / "held-out.txt").string()); }

}  // namespace mla
