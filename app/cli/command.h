#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "core/spec/result.h"

namespace mla {

/// How a subcommand ended: the exit code and, unless it is 0, the line for standard error.
struct Outcome {
  int code = 0;
  std::string message;
};

/// What the arguments asked for could not be done.
inline Outcome failed(std::string message) { return {1, std::move(message)}; }
/// The arguments themselves are wrong; the message names the one that is, as it was typed.
inline Outcome misused(std::string message) { return {2, std::move(message)}; }
/// Success, or failure with the reason.
inline Outcome outcome_of(const Status& status) { return status ? Outcome{} : failed(status.error().message); }

/// A subcommand of the program: its parser, and what it does once that has been parsed.
struct Command {
  CLI::App* parser;
  std::function<Outcome()> run;
};

/// Each adds its subcommand to the program; the returned `run` owns the options.
Command add_decode(CLI::App& program);
Command add_sweep(CLI::App& program);
Command add_memory(CLI::App& program);
Command add_bench(CLI::App& program);
Command add_render(CLI::App& program);
Command add_presets(CLI::App& program);
Command add_evaluate(CLI::App& program);
Command add_models(CLI::App& program);
Command add_views(CLI::App& program);
Command add_backends(CLI::App& program);

}  // namespace mla
