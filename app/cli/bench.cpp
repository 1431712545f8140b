#include "core/analysis/bench.h"

#include <unistd.h>

#include <cmath>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/command.h"
#include "app/cli/experiment_options.h"
#include "app/cli/output.h"
#include "core/spec/format.h"

namespace mla {
namespace {

struct Options {
  explicit Options(CLI::App& parser);
  std::string suite = "all", json, isa;
  int threads = 0;
};

Options::Options(CLI::App& parser) {
  parser.add_option("--suite", suite, "group of workloads (all)")->type_name("NAME")->check(CLI::IsMember(bench_suites()));
  parser.add_option("--threads", threads, "threads; 0: one a core")->type_name("N")->check(CLI::Range(0, 1024));
  parser.add_option("--isa", isa, "instruction set of the CPU kernels; the best one by default")->type_name("NAME");
  add_json_option(parser, json);
}

/// Null where the machine has no such instruction.
nlohmann::ordered_json rate(double value) { return value > 0 ? nlohmann::ordered_json(value) : nlohmann::ordered_json(); }

nlohmann::ordered_json document_of(const BenchReport& report) {
  nlohmann::ordered_json workloads = nlohmann::ordered_json::array();
  for (const BenchRow& row : report.workloads) {
    workloads.push_back({{"name", row.name},
                         {"median_ms", row.median_ms},
                         {"low_ms", row.low_ms},
                         {"high_ms", row.high_ms},
                         {"bytes", row.bytes},
                         {"flop", row.flop},
                         {"roofline_ms", row.roofline_ms},
                         {"fraction_of_roofline", row.fraction_of_roofline}});
  }
  const Ceilings& machine = report.machine;
  return {{"machine",
           {{"read_gb_s", machine.read_gb_s},
            {"fp32_gflop_s", machine.fp32_gflop_s},
            {"bf16_gflop_s", rate(machine.bf16_gflop_s)},
            {"int8_gop_s", rate(machine.int8_gop_s)},
            {"threads", machine.threads}}},
          {"workloads", workloads}};
}

void print_table(const BenchReport& report) {
  const Ceilings& machine = report.machine;
  std::cout << "This machine, " << machine.threads << " threads: reads " << format_si(machine.read_gb_s * 1e9, "B/s")
            << ", fp32 " << format_si(machine.fp32_gflop_s * 1e9, "FLOP/s");
  if (machine.bf16_gflop_s > 0) std::cout << ", bf16 " << format_si(machine.bf16_gflop_s * 1e9, "FLOP/s");
  if (machine.int8_gop_s > 0) std::cout << ", int8 " << format_si(machine.int8_gop_s * 1e9, "OP/s");
  std::cout << "\n\n"
            << std::left << std::setw(40) << "workload" << std::right << std::setw(10) << "median" << std::setw(22)
            << "10th to 90th pct." << std::setw(11) << "roofline"
            << "  of roofline\n";
  for (const BenchRow& row : report.workloads) {
    std::cout << std::left << std::setw(40) << row.name << std::right << std::setw(10) << format_ms(row.median_ms)
              << std::setw(22) << format_ms(row.low_ms) + " - " + format_ms(row.high_ms) << std::setw(11)
              << format_ms(row.roofline_ms) << std::setw(8) << std::lround(row.fraction_of_roofline * 100) << " %\n";
  }
}

Outcome run(const Options& options) {
  const bool watched = isatty(STDERR_FILENO) != 0;  // it takes a while
  const auto progress = [watched](const std::string& name) {
    if (watched) std::cerr << "\r\x1b[K" << name << std::flush;
  };
  const Result<BenchReport> report = run_bench(options.suite, options.threads, options.isa, progress);
  if (watched) std::cerr << "\r\x1b[K" << std::flush;
  if (!report) return failed(report.error().message);
  if (!options.json.empty()) return outcome_of(write_json(document_of(*report), options.json));
  print_table(*report);
  return {};
}

}  // namespace

Command add_bench(CLI::App& program) {
  CLI::App* parser = program.add_subcommand("bench", "Measures this machine's ceilings, then each workload against them");
  return {parser, [options = std::make_shared<Options>(*parser)] { return run(*options); }};
}

}  // namespace mla
