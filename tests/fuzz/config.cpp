// The text of a config.json: whatever it says, the shape that comes of it is a valid one.

#include <cstdint>
#include <cstdlib>

#include "core/model/checkpoint_config.h"

using namespace mla;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<CheckpointConfig> config = parse_checkpoint_config(text, "file");
  if (config) {
    if (!validate(config->spec)) std::abort();
  } else if (config.error().message.rfind("file: ", 0) != 0) {
    std::abort();
  }
  return 0;
}
