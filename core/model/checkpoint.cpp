#include "core/model/checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <set>
#include <system_error>

#include "core/io/safetensors.h"
#include "core/model/checkpoint_config.h"
#include "core/model/checkpoint_plan.h"
#include "core/spec/text.h"

namespace mla {
namespace {

namespace fs = std::filesystem;

Result<Safetensors> open_weights(const std::string& directory) {
  const fs::path folder(directory);
  std::error_code failed;
  if (!fs::exists(folder / "model.safetensors", failed) && fs::exists(folder / "model.safetensors.index.json", failed)) {
    return Error{(folder / "model.safetensors.index.json").string() + ": weights in several shards are not built yet"};
  }
  return Safetensors::open((folder / "model.safetensors").string());
}

Status check_tensor(const Safetensors& file, const PlannedTensor& planned) {
  const std::string where = file.path() + ": tensor " + printable(planned.name);
  const TensorView* const tensor = file.find(planned.name);
  if (!tensor) return Error{where + " is missing; config.json asks for it with shape " + shape_text(planned.shape)};
  if (tensor->shape != planned.shape) {
    return Error{where + " has shape " + shape_text(tensor->shape) + "; config.json asks for " + shape_text(planned.shape)};
  }
  if (!converts_to_fp32(tensor->dtype)) {
    return Error{where + " is " + std::string(name_of(tensor->dtype)) + "; F32, F16 and BF16 are built"};
  }
  return {};
}

/// Presence, shape and type of every planned tensor, and that no other is left over: then the configuration is not this
/// file's.
Status check_tensors(const Safetensors& file, const CheckpointConfig& config, const std::vector<PlannedTensor>& plan) {
  std::set<std::string_view> known;
  for (const PlannedTensor& planned : plan) {
    if (Status status = check_tensor(file, planned); !status) return status;
    known.insert(planned.name);
  }
  for (const TensorView& tensor : file.tensors()) {
    if (known.contains(tensor.name) || may_be_ignored(config, tensor.name)) continue;
    return Error{file.path() + ": tensor " + printable(tensor.name) +
                 " has no place in the model that config.json describes"};
  }
  return {};
}

Weight load_weight(const PlannedTensor& planned, const TensorView& tensor) {
  auto values = std::make_shared<Buffer<float>>(static_cast<std::size_t>(tensor.elements()));
  to_fp32(tensor, values->span());
  const auto extent = [&](std::size_t i) { return i < planned.shape.size() ? static_cast<int>(planned.shape[i]) : 1; };
  return {planned.name, extent(0), extent(1), std::move(values)};
}

Status load_tensors(const Safetensors& file, const std::vector<PlannedTensor>& plan, const Progress& progress,
                    const std::stop_token& stop) {
  double done = 0;
  for (const PlannedTensor& planned : plan) {
    if (stop.stop_requested()) return Error{"cancelled"};
    *planned.target = load_weight(planned, *file.find(planned.name));
    if (progress) progress(++done / static_cast<double>(plan.size()));
  }
  return {};
}

Result<LoadedCheckpoint> load_checked(const CheckpointConfig& config, const Safetensors& file, const Progress& progress,
                                      const std::stop_token& stop) {
  if (static_cast<std::size_t>(config.spec.num_hidden_layers) > file.tensors().size()) {
    return Error{file.path() + ": holds " + std::to_string(file.tensors().size()) +
                 " tensors, too few for num_hidden_layers " + std::to_string(config.spec.num_hidden_layers)};
  }
  auto weights = std::make_shared<ModelWeights>();
  const std::vector<PlannedTensor> plan = plan_tensors(config, *weights);
  if (Status status = check_tensors(file, config, plan); !status) return status.error();
  if (Status status = load_tensors(file, plan, progress, stop); !status) return status.error();
  if (config.spec.tie_word_embeddings) weights->lm_head = weights->embed_tokens;
  return LoadedCheckpoint{config.spec, std::move(weights)};
}

}  // namespace

Result<ModelSpec> read_model_spec(const std::string& directory) {
  const Result<CheckpointConfig> config = read_checkpoint_config(directory);
  if (!config) return config.error();
  return config->spec;
}

Result<LoadedCheckpoint> load_checkpoint(const std::string& directory, const Progress& progress, std::stop_token stop) {
  const Result<CheckpointConfig> config = read_checkpoint_config(directory);
  if (!config) return config.error();
  const Result<Safetensors> file = open_weights(directory);
  if (!file) return file.error();
  try {
    return load_checked(*config, *file, progress, stop);
  } catch (const std::bad_alloc&) {
    return Error{file->path() + ": the weights do not fit in memory"};
  }
}

}  // namespace mla
