#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace mla::testing {

/// How the program ended.
struct Ended {
  int code = -1;  ///< exit code, or -1 where a signal ended it
  std::string out, err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

/// A folder of a test's own, gone with it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name = {}) const { return name.empty() ? path_ : path_ + "/" + name; }
  void write(const std::string& name, const std::string& bytes) const;
  std::string read(const std::string& name) const;
  /// Names of all files and folders inside, sorted.
  std::vector<std::string> names() const;

 private:
  std::string path_;
};

/// Runs mla-explorer with the arguments, the folder as its working directory and neither display nor input.
Ended run(const Folder& folder, std::vector<std::string> arguments);

/// The bytes of a safetensors file with one fp32 tensor, all values 0.5.
std::string safetensors_of(const std::string& name, const std::vector<int>& shape);

/// The values of one tensor of a safetensors file that the program wrote.
std::vector<float> tensor_of(const std::string& path, const std::string& name);

}  // namespace mla::testing
