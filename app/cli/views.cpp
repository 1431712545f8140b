#include <iostream>

#include "app/cli/command.h"
#ifdef MLA_WINDOW
#include "app/window/view_list.h"
#endif

namespace mla {
namespace {

Outcome run() {
#ifdef MLA_WINDOW
  for (const ViewEntry& view : view_list()) std::cout << view.name << '\t' << view.what << '\n';
  return {};
#else
  return misused("views: this build draws nothing (MLA_WINDOW=OFF)");
#endif
}

}  // namespace

Command add_views(CLI::App& program) { return {program.add_subcommand("views", "What render can draw, one a line"), run}; }

}  // namespace mla
