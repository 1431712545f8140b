#include <unistd.h>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/cli/backends.h"
#include "app/cli/command.h"
#include "app/cli/experiment_options.h"
#include "app/cli/output.h"
#include "core/analysis/memory.h"
#include "core/analysis/quality.h"
#include "core/analysis/studies.h"
#include "core/analysis/sweep.h"
#include "core/io/file.h"
#include "core/spec/format.h"
#include "core/spec/text.h"

namespace mla {
namespace {

struct Options {
  explicit Options(CLI::App& parser);
  ExperimentOptions experiment;
  std::string text, json;
  std::vector<std::string> axes;
};

Options::Options(CLI::App& parser) : experiment(parser) {
  parser.add_option("--text", text, "text to measure on, which the model was not trained on")->type_name("FILE")->required();
  parser.add_option("--axis", axes, "an experiment option and the values it takes; several axes are combined")
      ->type_name("NAME=a,b,c")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_json_option(parser, json);
}

/// What was measured at one combination of values.
struct Point {
  SweepPoint at;
  Quality quality;
  std::int64_t cache_bytes_per_token = 0;
  std::optional<CacheError> error;  ///< of the cache's precision, where it is not fp32
};

Result<std::vector<SweepPoint>> plan(const Options& options, std::vector<SweepAxis>& axes) {
  const Result<Experiment> base = options.experiment.build();
  if (!base) return base.error();
  for (const std::string& text : options.axes) {
    Result<SweepAxis> axis = parse_axis(text);
    if (!axis) return Error{"--axis " + axis.error().message};
    axes.push_back(std::move(*axis));
  }
  Result<std::vector<SweepPoint>> points = plan_points(*base, axes);
  return points ? points : Result<std::vector<SweepPoint>>(Error{"--axis " + points.error().message});
}

std::string name_of(const SweepPoint& point, const std::vector<SweepAxis>& axes) {
  std::string name;
  for (std::size_t i = 0; i < axes.size(); ++i) name += axes[i].name + '=' + point.values[i] + "  ";
  return name;
}

/// How far it is, on standard error where a person watches.
Progress progress_line(const std::string& name) {
  if (!isatty(STDERR_FILENO)) return {};
  return [name](double fraction) {
    std::cerr << '\r' << name << int(fraction * 100) << " %" << (fraction >= 1 ? "\r\x1b[K" : "") << std::flush;
  };
}

Result<Point> measure(const SweepPoint& at, const std::string& text, ComputeBackend& backend, const std::string& name) {
  const Result<LoadedModel> model = load(at.experiment);
  if (!model) return model.error();
  const Result<Quality> quality = measure_quality(*model, backend, text, progress_line(name));
  if (!quality) return quality.error();
  const Experiment& e = model->experiment;
  Point point{at, *quality, cache_bytes_per_token(e.spec, e.path, e.cache_dtype, e.layers), {}};
  if (e.cache_dtype == CacheDtype::fp32 || e.path == AttentionPath::uncached) return point;
  const Result<CacheError> error = study_precision(*model, text, backend);
  if (!error) return error.error();
  point.error = *error;
  return point;
}

/// Numbers as numbers, all else as text.
nlohmann::ordered_json value_json(const std::string& text) {
  if (const auto number = parse_number<double>(text)) {
    if (const auto whole = parse_number<std::int64_t>(text)) return *whole;
    return *number;
  }
  return text;
}

nlohmann::ordered_json document_of(const std::vector<SweepAxis>& axes, const std::vector<Point>& points) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Point& point : points) {
    nlohmann::ordered_json entry;
    for (std::size_t i = 0; i < axes.size(); ++i) entry[axes[i].name] = value_json(point.at.values[i]);
    entry["bits_per_byte"] = point.quality.bits_per_byte();
    entry["cache_bytes_per_token"] = point.cache_bytes_per_token;
    entry["tokens"] = point.quality.tokens;
    entry["bytes"] = point.quality.bytes;
    if (point.error)
      entry["cache_error"] = {{"tokens", point.error->tokens},
                              {"attention_largest", point.error->attention_largest},
                              {"attention_mean", point.error->attention_mean},
                              {"output_largest", point.error->output_largest},
                              {"output_mean", point.error->output_mean}};
    list.push_back(std::move(entry));
  }
  return {{"points", list}};
}

Outcome run(const Options& options) {
  std::vector<SweepAxis> axes;
  const auto points = plan(options, axes);
  if (!points) return misused(points.error().message);
  const Result<std::string> text = read_file(options.text);
  if (!text) return misused("--text " + text.error().message);
  const auto backends = make_backends();
  std::vector<Point> measured;
  for (const SweepPoint& at : *points) {
    const Result<ComputeBackend*> backend = find_backend(backends, at.experiment.backend);
    if (!backend) return failed(backend.error().message);
    const std::string name = name_of(at, axes);
    Result<Point> point = measure(at, *text, **backend, name);
    if (!point) return failed("--text " + options.text + ": " + name + point.error().message);
    if (options.json.empty()) {
      std::cout << name << std::fixed << std::setprecision(4) << point->quality.bits_per_byte() << " bits/byte, cache "
                << format_bytes(point->cache_bytes_per_token) << "/token\n"
                << std::flush;
    }
    measured.push_back(std::move(*point));
  }
  if (!options.json.empty()) return outcome_of(write_json(document_of(axes, measured), options.json));
  std::cout << describe(measured.front().at.experiment) << " on " << options.text << ": " << measured.front().quality.tokens
            << " tokens, " << measured.front().quality.bytes << " bytes\n";
  return {};
}

}  // namespace

Command add_evaluate(CLI::App& program) {
  CLI::App* parser = program.add_subcommand("evaluate", "Measures bits per byte on a text, at each value of a setting");
  return {parser, [options = std::make_shared<Options>(*parser)] { return run(*options); }};
}

}  // namespace mla
