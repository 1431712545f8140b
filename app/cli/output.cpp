#include "app/cli/output.h"

#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/io/file.h"

namespace mla {

std::string one_line(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      line += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      line += c;
    }
  }
  return line;
}

void print_error(std::string_view message) { std::cerr << "mla-explorer: " << one_line(message) << '\n' << std::flush; }

Status check_writable(const std::string& path) {
  std::error_code ignored;
  if (path.empty()) return Error{"an empty name is no file"};
  if (std::filesystem::is_directory(path, ignored)) return Error{path + ": is a folder, not a file"};
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  if (!std::filesystem::is_directory(folder, ignored)) return Error{path + ": there is no folder " + folder};
  if (access(folder.c_str(), W_OK) != 0) return Error{path + ": the folder " + folder + " can't be written to"};
  return {};
}

Status check_folder(const std::string& path) {
  if (path.empty()) return Error{"an empty name is no folder"};
  std::error_code ignored;
  std::filesystem::path existing = path;
  while (!existing.empty() && !std::filesystem::exists(existing, ignored)) {
    const std::filesystem::path parent = existing.parent_path();
    if (parent == existing) break;
    existing = parent;
  }
  const std::string folder = existing.empty() ? "." : existing.string();
  if (!std::filesystem::is_directory(folder, ignored)) return Error{path + ": " + folder + " is a file, not a folder"};
  if (access(folder.c_str(), W_OK) != 0) return Error{path + ": the folder " + folder + " can't be written to"};
  return {};
}

Status write_json(const nlohmann::ordered_json& document, const std::string& target) {
  const std::string text = document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
  if (target != "-") return write_file_atomically(target, text);
  std::cout << text;
  return {};
}

}  // namespace mla
