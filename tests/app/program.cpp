#include "tests/app/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/io/safetensors.h"

namespace mla::testing {
namespace {

/// The tests' own environment, less what would open a window.
std::vector<std::string> environment() {
  std::vector<std::string> kept;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    if (!text.starts_with("DISPLAY=") && !text.starts_with("WAYLAND_DISPLAY=") && !text.starts_with("QT_QPA_PLATFORM="))
      kept.push_back(text);
  }
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "mla-app-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Folder::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(path(name), std::ios::binary) << bytes;
}

std::string Folder::read(const std::string& name) const {
  std::ostringstream text;
  text << std::ifstream(path(name), std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> list;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
    list.push_back(std::filesystem::relative(entry.path(), path_).string());
  }
  std::sort(list.begin(), list.end());
  return list;
}

Ended run(const Folder& folder, std::vector<std::string> arguments) {
  const Folder output;
  const std::string out = output.path("out"), err = output.path("err");
  arguments.insert(arguments.begin(), MLA_PROGRAM);
  std::vector<std::string> variables = environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addchdir_np(&actions, folder.path().c_str());
  pid_t child = 0;
  const int failure =
      posix_spawn(&child, MLA_PROGRAM, &actions, nullptr, pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) throw std::runtime_error("can't start " MLA_PROGRAM);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output.read("out"), output.read("err")};
}

std::string safetensors_of(const std::string& name, const std::vector<int>& shape) {
  int elements = 1;
  for (const int size : shape) elements *= size;
  const nlohmann::json header = {{name, {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {0, elements * 4}}}}};
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), 8);
  bytes += text;
  const std::vector<float> values(std::size_t(elements), 0.5f);
  return bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * 4);
}

std::vector<float> tensor_of(const std::string& path, const std::string& name) {
  const Result<Safetensors> file = Safetensors::open(path);
  if (!file) throw std::runtime_error(file.error().message);
  const Result<std::vector<float>> values = read_fp32(*file, name);
  if (!values) throw std::runtime_error(values.error().message);
  return *values;
}

}  // namespace mla::testing
