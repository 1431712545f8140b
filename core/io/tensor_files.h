#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/safetensors.h"

namespace mla {

/// Which shard holds each tensor.
using WeightMap = std::map<std::string, std::string>;

/// The text of a model.safetensors.index.json: every shard is the plain name of a file beside it. The error begins with
/// `path` and names the tensor and the rule.
Result<WeightMap> parse_index(const std::string& path, std::string_view text);

/// A tensor, and the file that holds it.
struct StoredTensor {
  const TensorView* view = nullptr;
  std::string_view file;
};

/// The tensors of a model directory, mapped: model.safetensors, or else the shards that model.safetensors.index.json names.
/// Move-only; what it hands out must not outlive it.
class TensorFiles {
 public:
  using Tensors = std::map<std::string_view, StoredTensor>;

  /// Checks every header before anything is mapped in. Of an index, too: that each shard is a file of the directory, and
  /// that index and shards name the same tensors in the same places, each once. The error names file, tensor and rule.
  static Result<TensorFiles> open(const std::string& directory);

  TensorFiles(TensorFiles&&) = default;
  TensorFiles& operator=(TensorFiles&&) = default;

  /// What was opened: the one file, or the index.
  const std::string& path() const { return path_; }
  const Tensors& tensors() const { return tensors_; }
  /// Paths, sizes and times of all files as they are now: as long as it is the same, so are the tensors.
  std::string identity() const;
  /// Null where there is no such tensor.
  const StoredTensor* find(std::string_view name) const;

 private:
  TensorFiles() = default;
  Status open_shards(const std::string& directory, const WeightMap& weight_map);

  std::string path_;
  std::vector<Safetensors> files_;
  Tensors tensors_;
};

}  // namespace mla
