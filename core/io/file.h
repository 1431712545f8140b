#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/spec/result.h"

namespace mla {

/// The most that read_file takes: texts and settings, never weights (those are mapped, see safetensors.h).
inline constexpr std::size_t max_read_bytes = std::size_t(1) << 28;

/// The whole file. Refuses folders and what is larger than max_read_bytes; the error names the path and the reason.
Result<std::string> read_file(const std::string& path);

/// Where a file is, its size and the time of its last change, as one text; it changes when the file is written again.
std::string file_identity(const std::string& path);

/// Writes the file whole or not at all: a temporary file in the same folder, then a rename over `path`. An earlier file
/// keeps its contents and permissions until then; a symbolic link keeps pointing to its target. A device or pipe is written
/// directly.
Status write_file_atomically(const std::string& path, std::string_view bytes);

/// The same for contents in pieces, written one after the other.
Status write_file_atomically(const std::string& path, std::span<const std::string_view> pieces);

}  // namespace mla
