#pragma once

#include <optional>
#include <string>

#include "app/cli/command.h"
#include "core/spec/saved_experiment.h"

namespace mla {

/// A picture (or table) to be made without a display.
struct RenderRequest {
  Experiment experiment;
  std::optional<Experiment> against;       ///< what the view "compare" compares it with
  std::map<std::string, ViewState> views;  ///< what is chosen in them
  std::string file;                        ///< where that was read
  std::string view;                        ///< one of view_list()
  std::string out;                         ///< the suffix says the format
  int width = 1280, height = 800;          ///< pixels
  int steps = 32;                          ///< tokens decoded before it is drawn
  bool dark = false;
};

/// What is wrong with the view's name or the file's, if anything; names the known ones.
Status check_render(const std::string& view, const std::string& out);

/// Decodes, then draws into the file: whole, or not at all.
Outcome render(const RenderRequest& request);

}  // namespace mla
