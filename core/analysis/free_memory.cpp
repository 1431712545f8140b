#include "core/analysis/free_memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>

#include "core/spec/text.h"

namespace mla {

namespace {

namespace fs = std::filesystem;

/// The number that a file holds alone; nothing for "max" or where there is no such file.
std::optional<std::int64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return parse_number<std::int64_t>(word);
}

/// The number that follows a word at the start of a line.
std::optional<std::int64_t> number_after(const fs::path& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, second;
    if (words >> first >> second && first == key) return parse_number<std::int64_t>(second);
  }
  return std::nullopt;
}

/// File names of one version of control groups.
struct Names {
  const char* limit;
  const char* used;
  const char* inactive;
};
constexpr Names kV2{"memory.max", "memory.current", "inactive_file"};
constexpr Names kV1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};

/// What one group leaves: its limit less what it uses, pages of files counted as free; unlimited without a limit.
std::int64_t left_by(const fs::path& group, const Names& names) {
  const auto limit = number_in(group / names.limit);
  const auto used = number_in(group / names.used);
  if (!limit || !used) return std::numeric_limits<std::int64_t>::max();
  const auto pages = number_after(group / "memory.stat", names.inactive).value_or(0);
  return std::max<std::int64_t>(0, *limit - std::max<std::int64_t>(0, *used - pages));
}

/// The least that the group and its parents, up to the mount, leave. Inside a container the path may not exist below the
/// mount; its parents still count.
std::int64_t left_by_chain(const fs::path& mount, const std::string& path, const Names& names) {
  std::int64_t left = left_by(mount, names);
  fs::path group = mount;
  for (const fs::path& part : fs::path(path).relative_path()) {
    group /= part;
    left = std::min(left, left_by(group, names));
  }
  return left;
}

/// Whether a comma-separated list of controllers has `memory`.
bool has_memory(const std::string& controllers) { return ("," + controllers + ",").find(",memory,") != std::string::npos; }

}  // namespace

std::int64_t free_memory_under(const fs::path& root) {
  const auto available = number_after(root / "proc/meminfo", "MemAvailable:");
  if (!available) return std::int64_t(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  std::int64_t left = *available * 1024;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "0::/path" (v2) or "4:memory:/path" (v1)
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const fs::path mount = root / "sys/fs/cgroup";
    if (controllers.empty()) left = std::min(left, left_by_chain(mount, path, kV2));
    if (has_memory(controllers)) left = std::min(left, left_by_chain(mount / "memory", path, kV1));
  }
  return left;
}

}  // namespace mla
