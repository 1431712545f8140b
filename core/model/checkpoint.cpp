#include "core/model/checkpoint.h"

#include <algorithm>
#include <map>
#include <new>
#include <set>

#include "core/io/file.h"
#include "core/io/tensor_files.h"
#include "core/model/checkpoint_config.h"
#include "core/model/checkpoint_plan.h"
#include "core/model/checkpoint_values.h"
#include "core/spec/text.h"

namespace mla {
namespace {

/// A weight whose values are converted when they are first used; keeps the files mapped until then.
Weight lazy_weight(const PlannedTensor& planned, const TensorSource& source, std::shared_ptr<const TensorFiles> files) {
  const auto extent = [&](std::size_t i) { return i < planned.shape.size() ? static_cast<int>(planned.shape[i]) : 1; };
  return {planned.name, extent(0), extent(1), WeightValues([source, files = std::move(files)] { return convert(source); })};
}

/// A plan is only made for a configuration that the files may fill, however large the counts that it states.
Status check_size(const TensorFiles& files, const ModelSpec& spec) {
  const std::int64_t least = least_tensors(spec);
  if (least <= static_cast<std::int64_t>(files.tensors().size())) return {};
  return Error{files.path() + ": holds " + std::to_string(files.tensors().size()) +
               " tensors, too few for num_hidden_layers " + std::to_string(spec.num_hidden_layers) +
               (spec.moe ? ", n_routed_experts " + std::to_string(spec.moe->n_routed_experts) : "")};
}

/// That no tensor is left over: then the configuration is not that of these files.
Status check_all_used(const TensorFiles& files, const CheckpointConfig& config, const std::set<std::string_view>& used) {
  for (const auto& [name, stored] : files.tensors()) {
    if (used.contains(name) || may_be_ignored(config, std::string(name))) continue;
    return Error{std::string(stored.file) + ": tensor " + printable(name) +
                 " has no place in the model that config.json describes"};
  }
  return {};
}

using Known = std::map<std::string, WeightValues>;

/// What `previous` has of the same files, by name.
Known known_values(const ModelWeights* previous, const std::string& files) {
  Known known;
  if (!previous || previous->files != files) return known;
  for_each_weight(*previous, [&](const Weight& weight) {
    if (weight.values) known.emplace(weight.name, weight.values);
  });
  return known;
}

/// Gives every planned weight its source, after the checks of find_source, or the values that are known already.
Status connect(const std::shared_ptr<const TensorFiles>& files, const CheckpointConfig& config,
               const std::vector<PlannedTensor>& plan, const Known& known, const LoadOptions& options) {
  std::set<std::string_view> used;
  double done = 0;
  for (const PlannedTensor& planned : plan) {
    if (options.stop.stop_requested()) return Error{"cancelled"};
    const Result<TensorSource> source = find_source(*files, config, planned);
    if (!source) return source.error();
    used.insert(source->tensor->name);
    if (source->scale) used.insert(source->scale->name);
    *planned.target = lazy_weight(planned, *source, files);
    if (const auto found = known.find(planned.name); found != known.end()) planned.target->values = found->second;
    if (options.progress) options.progress(++done / static_cast<double>(plan.size()));
  }
  return check_all_used(*files, config, used);
}

Result<LoadedCheckpoint> load_opened(const CheckpointConfig& config, const std::string& identity,
                                     const std::shared_ptr<const TensorFiles>& files, const LoadOptions& options) {
  if (Status status = check_size(*files, config.spec); !status) return status.error();
  auto weights = std::make_shared<ModelWeights>();
  weights->files = identity;
  const std::vector<PlannedTensor> plan = plan_tensors(config, *weights);
  if (Status status = connect(files, config, plan, known_values(options.previous, identity), options); !status)
    return status.error();
  const int layers = options.layers.value_or(config.spec.num_hidden_layers);
  weights->layers.resize(static_cast<std::size_t>(std::min(layers, config.spec.num_hidden_layers)));
  if (config.spec.tie_word_embeddings) weights->lm_head = weights->embed_tokens;
  return LoadedCheckpoint{config.spec, std::move(weights)};
}

}  // namespace

Result<ModelSpec> read_model_spec(const std::string& directory) {
  const Result<CheckpointConfig> config = read_checkpoint_config(directory);
  if (!config) return config.error();
  return config->spec;
}

Result<LoadedCheckpoint> load_checkpoint(const std::string& directory, const LoadOptions& options) {
  const Result<CheckpointConfig> config = read_checkpoint_config(directory);
  if (!config) return config.error();
  try {
    Result<TensorFiles> files = TensorFiles::open(directory);
    if (!files) return files.error();
    const std::string identity = file_identity(directory + "/config.json") + "\n" + files->identity();
    return load_opened(*config, identity, std::make_shared<const TensorFiles>(std::move(*files)), options);
  } catch (const std::bad_alloc&) {
    return Error{directory + ": what its files name does not fit in memory"};
  }
}

}  // namespace mla
