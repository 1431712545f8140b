#pragma once

#include <cstdint>
#include <filesystem>

namespace mla {

/// Free memory in bytes as the files under `root` ("/" on a real machine) tell it: MemAvailable of proc/meminfo, or what the
/// process's control group (v2 or v1) and those above it leave, file pages they can drop included, whichever is least.
/// Where there is no proc/meminfo: the physical memory.
std::int64_t free_memory_under(const std::filesystem::path& root);

}  // namespace mla
