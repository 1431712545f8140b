#include "app/cli/program.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <vector>

#include "app/cli/command.h"
#include "app/cli/output.h"
#ifdef MLA_WINDOW
#include "app/window/open_window.h"
#endif

namespace mla {
namespace {

/// What happens without a subcommand; `file` is an experiment to open there, or empty.
Outcome open_the_window(const std::string& file) {
  std::error_code ignored;
  if (!file.empty() && !std::filesystem::exists(file, ignored)) {
    return misused(file + ": is neither a subcommand nor a saved experiment, see --help");
  }
#ifdef MLA_WINDOW
  return open_window(file);
#else
  return misused("no subcommand: this build has no window (MLA_WINDOW=OFF), see --help");
#endif
}

std::vector<Command> add_commands(CLI::App& program) {
  return {add_decode(program), add_sweep(program),   add_memory(program), add_evaluate(program), add_bench(program),
          add_render(program), add_presets(program), add_models(program), add_views(program),    add_backends(program)};
}

Outcome parse_and_run(int argc, char** argv) {
  CLI::App program("See Multi-head Latent Attention: cache, latency and attention of a decode that is running.",
                   "mla-explorer");
  program.set_version_flag("--version", "mla-explorer " MLA_VERSION);
  program.require_subcommand(0, 1);
  std::string file;
  program
      .add_option("file", file,
                  "a saved experiment (.mla.json) to open in the window; without it or a subcommand, the window opens")
      ->type_name("FILE");
  const std::vector<Command> commands = add_commands(program);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    program.exit(help_or_version, std::cout, std::cerr);
    return {};
  } catch (const CLI::ParseError& error) {
    return misused(error.what());
  }
  const auto chosen = std::find_if(commands.begin(), commands.end(), [](const Command& c) { return c.parser->parsed(); });
  if (chosen == commands.end()) return open_the_window(file);
  if (!file.empty()) return misused(file + ": unexpected before " + chosen->parser->get_name());
  return chosen->run();
}

}  // namespace

int run_program(int argc, char** argv) {
  Outcome outcome;
  try {
    outcome = parse_and_run(argc, argv);
  } catch (const std::bad_alloc&) {
    outcome = failed("out of memory");
  } catch (const std::exception& error) {  // of a library: stops here
    outcome = failed(error.what());
  }
  if (outcome.code == 0 && !std::cout.flush()) outcome = failed("standard output: can't be written");
  if (outcome.code != 0) print_error(outcome.message);
  return outcome.code;
}

}  // namespace mla
