#pragma once

#include <string>
#include <vector>

namespace mla {

/// Something that render can draw.
struct ViewEntry {
  std::string name;  ///< as `render --view` takes it
  std::string what;  ///< what it shows, in one line
};

/// The whole window first, then every view.
std::vector<ViewEntry> view_list();

}  // namespace mla
