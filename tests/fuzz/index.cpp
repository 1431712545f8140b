// The text of a model.safetensors.index.json: whatever it says, no shard lies outside the model's directory.

#include <cstdint>
#include <cstdlib>

#include "core/io/tensor_files.h"

using namespace mla;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Result<WeightMap> map = parse_index("file", std::string_view(reinterpret_cast<const char*>(data), size));
  if (!map) {
    if (map.error().message.rfind("file: ", 0) != 0) std::abort();
    return 0;
  }
  for (const auto& [tensor, shard] : *map)
    if (shard.empty() || shard == "." || shard == ".." || shard.find_first_of("/\\") != std::string::npos) std::abort();
  return 0;
}
