#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/spec/result.h"

namespace mla {

/// "mla-explorer: " and the message as one line on standard error, control characters replaced.
void print_error(std::string_view message);

/// The text with control characters as escapes ("\n", "\x1b"), so that it prints as one harmless line.
std::string one_line(std::string_view text);

/// Checks, before any work is done, that a file can be made at `path`: its folder is there and writable, and it is no folder
/// itself.
Status check_writable(const std::string& path);

/// Checks likewise that files can be made in a folder, which may be still to be made.
Status check_folder(const std::string& path);

/// Writes the document to the file, whole or not at all, or to standard output where `target` is "-". Bytes that are no
/// UTF-8 become U+FFFD.
Status write_json(const nlohmann::ordered_json& document, const std::string& target);

}  // namespace mla
