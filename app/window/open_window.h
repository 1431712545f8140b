#pragma once

#include <string>

#include "app/cli/command.h"

namespace mla {

/// Shows the window until it is closed; `file` is a saved experiment to open in it, or empty. Without a display: one line
/// that says so.
Outcome open_window(const std::string& file);

}  // namespace mla
