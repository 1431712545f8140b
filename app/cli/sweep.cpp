#include "core/analysis/sweep.h"

#include <filesystem>
#include <iostream>
#include <memory>

#include "app/cli/backends.h"
#include "app/cli/command.h"
#include "app/cli/experiment_options.h"
#include "app/cli/output.h"
#include "core/io/file.h"
#include "core/spec/format.h"
#ifdef MLA_WINDOW
#include "app/window/sweep_charts.h"
#endif

namespace mla {
namespace {

struct Options {
  explicit Options(CLI::App& parser);
  ExperimentOptions experiment;
  std::vector<std::string> axes;
  std::string out;
  int tokens = 64;
};

Options::Options(CLI::App& parser) : experiment(parser) {
  parser.add_option("--axis", axes, "an experiment option and the values it takes; several axes are combined")
      ->type_name("NAME=a,b,c")
      ->required()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  parser.add_option("--tokens", tokens, "tokens to decode at each point (64)")->type_name("N")->check(CLI::PositiveNumber);
  parser.add_option("--out", out, "folder for sweep.csv, sweep.json and the charts")
      ->type_name("DIR")
      ->required()
      ->check([](const std::string& value) {
        const Status writable = check_folder(value);
        return writable ? std::string() : writable.error().message;
      });
}

Result<SweepPlan> plan_of(const Options& options) {
  const Result<Experiment> base = options.experiment.build();
  if (!base) return base.error();
  std::vector<SweepAxis> axes;
  for (const std::string& text : options.axes) {
    Result<SweepAxis> axis = parse_axis(text);
    if (!axis) return Error{"--axis " + axis.error().message};
    axes.push_back(std::move(*axis));
  }
  Result<SweepPlan> plan = plan_sweep(*base, axes, options.tokens);
  return plan ? plan : Result<SweepPlan>(Error{"--axis " + plan.error().message});
}

void print_point(const SweepPlan& plan, const SweepRun& run) {
  for (std::size_t i = 0; i < plan.axes.size(); ++i) std::cout << plan.axes[i].name << '=' << run.point.values[i] << "  ";
  const SweepStep& last = run.steps.back();
  std::cout << format_ms(run.median_ms) << "/token (median), cache " << format_bytes(last.cache_bytes) << " at "
            << format_count(last.tokens) << " tokens\n"
            << std::flush;
}

Outcome write_files(const std::string& folder, const SweepPlan& plan, const std::vector<SweepRun>& runs) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return failed(folder + ": can't be made: " + failure.message());
  for (const auto& [name, text] :
       {std::pair{"/sweep.csv", sweep_csv(plan, runs)}, {"/sweep.json", sweep_json(plan, runs)}}) {
    if (const Status written = write_file_atomically(folder + name, text); !written) return outcome_of(written);
  }
#ifdef MLA_WINDOW
  const Status charts = write_sweep_charts(folder, plan, runs);
  if (!charts) return outcome_of(charts);
  std::cout << "Wrote sweep.csv, sweep.json and charts to " << folder << '\n';
#else
  std::cout << "Wrote sweep.csv and sweep.json to " << folder << "; charts need a build with the window\n";
#endif
  return {};
}

Outcome run(const Options& options) {
  const Result<SweepPlan> plan = plan_of(options);
  if (!plan) return misused(plan.error().message);
  const auto backends = make_backends();
  for (const SweepPoint& point : plan->points) {
    const Result<ComputeBackend*> usable = find_backend(backends, point.experiment.backend);
    if (!usable) return failed(usable.error().message);
  }
  const auto backend_of = [&](const Experiment& experiment) { return find_backend(backends, experiment.backend); };
  const auto runs = run_sweep(*plan, backend_of, [&](const SweepRun& done) { print_point(*plan, done); });
  if (!runs) return failed(runs.error().message);
  return write_files(options.out, *plan, *runs);
}

}  // namespace

Command add_sweep(CLI::App& program) {
  CLI::App* parser =
      program.add_subcommand("sweep", "Measures memory and speed at each value of a setting, as tables and charts");
  return {parser, [options = std::make_shared<Options>(*parser)] { return run(*options); }};
}

}  // namespace mla
