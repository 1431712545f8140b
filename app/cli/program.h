#pragma once

namespace mla {

/// The whole program: parses the command line, runs the subcommand or opens the window. Gives the exit code: 0 success,
/// 1 failure, 2 wrong usage; whatever goes wrong is one line on standard error.
int run_program(int argc, char** argv);

}  // namespace mla
