#include <nlohmann/json.hpp>

#include "core/analysis/sweep.h"
#include "core/io/csv.h"
#include "core/spec/text.h"

namespace mla {
namespace {

nlohmann::ordered_json value_json(const std::string& text) {
  if (const auto whole = parse_number<std::int64_t>(text)) return *whole;
  if (const auto real = parse_number<double>(text)) return *real;
  return text;
}

nlohmann::ordered_json axes_json(const SweepPlan& plan) {
  nlohmann::ordered_json axes = nlohmann::ordered_json::array();
  for (const SweepAxis& axis : plan.axes) {
    nlohmann::ordered_json values = nlohmann::ordered_json::array();
    for (const std::string& value : axis.values) values.push_back(value_json(value));
    axes.push_back({{"name", axis.name}, {"values", values}});
  }
  return axes;
}

nlohmann::ordered_json run_json(const SweepPlan& plan, const SweepRun& run) {
  nlohmann::ordered_json point;
  for (std::size_t i = 0; i < plan.axes.size(); ++i) point[plan.axes[i].name] = value_json(run.point.values[i]);
  nlohmann::ordered_json steps = nlohmann::ordered_json::array();
  for (const SweepStep& step : run.steps) {
    steps.push_back(
        {{"tokens", step.tokens}, {"cache_values", step.cache_values}, {"cache_bytes", step.cache_bytes}, {"ms", step.ms}});
  }
  point["median_ms"] = run.median_ms;
  point["steps"] = steps;
  return point;
}

}  // namespace

std::string sweep_csv(const SweepPlan& plan, const std::vector<SweepRun>& runs) {
  std::vector<std::string> columns;
  for (const SweepAxis& axis : plan.axes) columns.push_back(axis.name);
  columns.insert(columns.end(), {"tokens", "cache_values", "cache_bytes", "ms", "seconds"});
  std::vector<std::vector<std::string>> rows;
  for (const SweepRun& run : runs) {
    for (const SweepStep& step : run.steps) {
      std::vector<std::string>& row = rows.emplace_back(run.point.values);
      row.insert(row.end(), {std::to_string(step.tokens), std::to_string(step.cache_values),
                             std::to_string(step.cache_bytes), csv_number(step.ms), csv_number(step.ms / 1000)});
    }
  }
  return to_csv(columns, rows);
}

std::string sweep_json(const SweepPlan& plan, const std::vector<SweepRun>& runs) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const SweepRun& run : runs) points.push_back(run_json(plan, run));
  const nlohmann::ordered_json document = {{"experiment", nlohmann::ordered_json::parse(to_json(plan.base))},
                                           {"axes", axes_json(plan)},
                                           {"tokens", plan.tokens},
                                           {"points", points}};
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace mla
