#include <cstring>
#include <nlohmann/json.hpp>

#include "core/io/file.h"
#include "core/io/safetensors.h"

namespace mla {
namespace {

using nlohmann::ordered_json;

/// What `shape` says about the number of values; false where `values` differ from it.
bool fills_shape(const NamedTensor& tensor) {
  std::uint64_t elements = 1;
  for (const std::int64_t extent : tensor.shape) {
    if (extent < 0 || __builtin_mul_overflow(elements, static_cast<std::uint64_t>(extent), &elements)) return false;
  }
  return elements == tensor.values.size();
}

Result<std::string> make_header(const std::string& path, std::span<const NamedTensor> tensors) {
  ordered_json header = ordered_json::object();
  std::size_t begin = 0;
  for (const NamedTensor& tensor : tensors) {
    const std::string where = path + ": tensor \"" + tensor.name + "\" ";
    if (tensor.name == "__metadata__" || header.contains(tensor.name)) return Error{where + "is not a free name"};
    if (!fills_shape(tensor)) {
      return Error{where + "has " + std::to_string(tensor.values.size()) + " values, not those of its shape " +
                   shape_text(tensor.shape)};
    }
    const std::size_t end = begin + tensor.values.size_bytes();
    header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the format pads with spaces, which aligns the data
  return text;
}

}  // namespace

Status write_safetensors(const std::string& path, std::span<const NamedTensor> tensors) {
  const Result<std::string> header = make_header(path, tensors);
  if (!header) return header.error();
  std::string length(sizeof(std::uint64_t), '\0');
  const std::uint64_t size = header->size();
  std::memcpy(length.data(), &size, sizeof size);

  std::vector<std::string_view> pieces{length, *header};
  for (const NamedTensor& tensor : tensors) {
    pieces.emplace_back(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size_bytes());
  }
  return write_file_atomically(path, pieces);
}

}  // namespace mla
