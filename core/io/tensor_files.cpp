#include "core/io/tensor_files.h"

#include <filesystem>
#include <set>
#include <system_error>

#include "core/io/file.h"
#include "core/io/strict_json.h"
#include "core/spec/text.h"

namespace mla {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string shown(const json& value) { return printable(value.dump(-1, ' ', false, json::error_handler_t::replace)); }

/// Whether the name is that of a file right in the directory.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\\') == std::string::npos && name.find('\0') == std::string::npos;
}

}  // namespace

Result<WeightMap> parse_index(const std::string& path, std::string_view text) {
  const Result<json> index = parse_strict_json(path, text, "the index");
  if (!index) return index.error();
  const auto found = index->is_object() ? index->find("weight_map") : index->end();
  if (found == index->end() || !found->is_object() || found->empty()) {
    return Error{path + ": weight_map is missing; it must be an object that names each tensor's shard"};
  }
  WeightMap map;
  for (const auto& [tensor, shard] : found->items()) {
    const std::string where = path + ": weight_map of " + printable(tensor) + " is " + shown(shard);
    if (!shard.is_string()) return Error{where + "; it must be the name of a shard"};
    if (!is_plain_name(shard)) return Error{where + "; a shard must be a file in the same directory"};
    map.emplace(tensor, shard);
  }
  return map;
}

const StoredTensor* TensorFiles::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::string TensorFiles::identity() const {
  std::string all;
  for (const Safetensors& file : files_) all += file_identity(file.path()) + "\n";
  return all;
}

Status TensorFiles::open_shards(const std::string& directory, const WeightMap& weight_map) {
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : weight_map) shards.insert(shard);
  for (const std::string& shard : shards) {
    Result<Safetensors> file = Safetensors::open((fs::path(directory) / shard).string());
    if (!file) return Error{path_ + ": shard " + printable(shard) + ": " + file.error().message};
    files_.push_back(std::move(*file));
  }
  for (const Safetensors& file : files_) {
    for (const TensorView& tensor : file.tensors()) {
      const auto [other, fresh] = tensors_.emplace(tensor.name, StoredTensor{&tensor, file.path()});
      if (fresh) continue;
      return Error{file.path() + ": tensor " + printable(tensor.name) + " is in " +
                   fs::path(other->second.file).filename().string() + " as well"};
    }
  }
  for (const auto& [tensor, shard] : weight_map) {
    const StoredTensor* const stored = find(tensor);
    if (stored && fs::path(stored->file).filename() == shard) continue;
    return Error{path_ + ": weight_map puts tensor " + printable(tensor) + " into " + printable(shard) +
                 (stored ? ", but it is in " + fs::path(stored->file).filename().string() : ", which does not hold it")};
  }
  for (const auto& [tensor, stored] : tensors_) {
    if (weight_map.contains(std::string(tensor))) continue;
    return Error{std::string(stored.file) + ": tensor " + printable(tensor) + " is not in the weight_map of " + path_};
  }
  return {};
}

Result<TensorFiles> TensorFiles::open(const std::string& directory) {
  TensorFiles opened;
  const fs::path folder(directory), single = folder / "model.safetensors", index = folder / "model.safetensors.index.json";
  std::error_code failed;
  if (!fs::exists(single, failed) && fs::exists(index, failed)) {
    opened.path_ = index.string();
    const Result<std::string> text = read_file(opened.path_);
    if (!text) return text.error();
    const Result<WeightMap> map = parse_index(opened.path_, *text);
    if (!map) return map.error();
    if (Status status = opened.open_shards(directory, *map); !status) return status.error();
    return opened;
  }
  opened.path_ = single.string();
  Result<Safetensors> file = Safetensors::open(opened.path_);
  if (!file) return file.error();
  opened.files_.push_back(std::move(*file));
  for (const TensorView& tensor : opened.files_.back().tensors())
    opened.tensors_.emplace(tensor.name, StoredTensor{&tensor, opened.files_.back().path()});
  return opened;
}

}  // namespace mla
