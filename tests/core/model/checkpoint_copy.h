#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/io/file.h"
#include "core/model/checkpoint.h"
#include "tests/core/io/temp_folder.h"

namespace mla {

inline std::string golden(const std::string& name) { return std::string(MLA_SOURCE_DIR) + "/tests/golden/" + name; }

inline nlohmann::json golden_config(const std::string& name) {
  return nlohmann::json::parse(*read_file(golden(name) + "/config.json"));
}

/// A copy of a golden model whose files a test may spoil.
class Copy {
 public:
  explicit Copy(const std::string& name) {
    for (const std::filesystem::directory_entry& file : std::filesystem::directory_iterator(golden(name)))
      if (file.path().filename() != "expected.safetensors") std::filesystem::copy(file.path(), folder_.path());
  }
  std::string path() const { return folder_.path(); }
  std::string weights() const { return folder_ / "model.safetensors"; }
  void configure(const nlohmann::json& config) const { write_plainly(folder_ / "config.json", config.dump()); }
  std::string error() const {
    const Result<LoadedCheckpoint> loaded = load_checkpoint(path());
    return loaded ? "" : loaded.error().message;
  }

 private:
  TempFolder folder_;
};

}  // namespace mla
