#include "core/analysis/sweep.h"

#include <algorithm>
#include <optional>

#include "core/analysis/memory.h"
#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "core/model/vocabulary.h"
#include "core/spec/text.h"

namespace mla {
namespace {

constexpr std::size_t kMostPoints = 1000;
constexpr int kWarmUpSteps = 2;

Status check_axes(const std::vector<SweepAxis>& axes) {
  std::size_t points = 1;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    points *= axes[i].values.size();
    if (points > kMostPoints) return Error{axes[i].name + ": more than " + std::to_string(kMostPoints) + " points in all"};
    for (std::size_t j = 0; j < i; ++j) {
      if (axes[j].name == axes[i].name) return Error{axes[i].name + ": is an axis already"};
    }
  }
  return {};
}

/// The experiment at one combination of values.
Result<Experiment> experiment_at(const Experiment& base, const std::vector<SweepAxis>& axes,
                                 const std::vector<std::string>& values) {
  std::vector<Setting> settings;
  for (std::size_t i = 0; i < axes.size(); ++i) settings.push_back({axes[i].name, values[i]});
  Result<Experiment> experiment = apply_all(base, settings);
  if (!experiment) return experiment;
  const Status valid = validate(*experiment);
  if (valid) return experiment;
  std::string at;
  for (const Setting& setting : settings) at += (at.empty() ? "" : " ") + setting.name + "=" + printable(setting.value);
  return Error{at + ": " + valid.error().message};
}

Result<std::unique_ptr<Decoder>> start(const LoadedModel& model, ComputeBackend& backend, std::stop_token stop) {
  const Result<std::vector<int>> tokens = prompt_of(model.experiment);
  if (!tokens) return tokens.error();
  Result<std::unique_ptr<Decoder>> decoder = Decoder::create(model.experiment, backend, model.weights);
  if (!decoder || tokens->empty()) return decoder;
  const Result<StepTrace> prompt = (*decoder)->prefill(*tokens, {}, stop);
  if (!prompt) return prompt.error();
  return decoder;
}

double median_of(const std::vector<SweepStep>& steps) {
  std::vector<double> times;
  for (const SweepStep& step : steps) times.push_back(step.ms);
  const auto middle = times.begin() + std::ptrdiff_t(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

/// `count` tokens decoded from the start.
Result<std::vector<SweepStep>> decode(const LoadedModel& model, int count, ComputeBackend& backend, std::stop_token stop) {
  Result<std::unique_ptr<Decoder>> decoder = start(model, backend, stop);
  if (!decoder) return decoder.error();
  const Experiment& e = model.experiment;
  const std::int64_t rows = cache_values_per_token(e.spec, e.path) * e.layers * e.batch;  // of a position
  std::vector<SweepStep> steps;
  for (int i = 0; i < count; ++i) {
    const Result<StepTrace> step = (*decoder)->step({}, stop);
    if (!step) return step.error();
    const std::int64_t values = rows * (*decoder)->positions();
    steps.push_back({(*decoder)->positions(), values, step->cache_bytes, step->ms});
  }
  return steps;
}

Result<SweepRun> measure(const SweepPoint& point, const LoadedModel& model, int tokens, ComputeBackend& backend,
                         std::stop_token stop) {
  const auto warm_up = decode(model, std::min(kWarmUpSteps, tokens), backend, stop);
  if (!warm_up) return warm_up.error();
  auto steps = decode(model, tokens, backend, stop);
  if (!steps) return steps.error();
  const double median = median_of(*steps);
  return SweepRun{point, std::move(*steps), median};
}

}  // namespace

Result<SweepAxis> parse_axis(std::string_view text) {
  const std::size_t equals = text.find('=');
  SweepAxis axis{std::string(text.substr(0, equals)), {}};
  const auto& names = setting_names();
  if (std::find(names.begin(), names.end(), axis.name) == names.end())
    return Error{printable(axis.name) + ": no setting has that name"};
  if (equals == std::string_view::npos) return Error{axis.name + ": has no values, write " + axis.name + "=a,b,c"};
  for (std::size_t begin = equals + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    axis.values.emplace_back(text.substr(begin, end - begin));
    if (axis.values.back().empty()) return Error{axis.name + ": an empty value in " + printable(text.substr(equals + 1))};
    begin = end + 1;
  }
  return axis;
}

Result<std::vector<SweepPoint>> plan_points(const Experiment& base, const std::vector<SweepAxis>& axes) {
  if (const Status good = check_axes(axes); !good) return good.error();
  std::vector<SweepPoint> points;
  std::vector<std::size_t> index(axes.size(), 0);
  for (bool more = true; more;) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < axes.size(); ++i) values.push_back(axes[i].values[index[i]]);
    Result<Experiment> experiment = experiment_at(base, axes, values);
    if (!experiment) return experiment.error();
    points.push_back({std::move(values), std::move(*experiment)});
    more = false;
    for (std::size_t i = axes.size(); i-- > 0 && !more;) {
      more = ++index[i] < axes[i].values.size();
      if (!more) index[i] = 0;
    }
  }
  return points;
}

Result<SweepPlan> plan_sweep(const Experiment& base, const std::vector<SweepAxis>& axes, int tokens) {
  if (tokens < 1) return Error{"tokens " + std::to_string(tokens) + ": at least 1 must be decoded"};
  Result<std::vector<SweepPoint>> points = plan_points(base, axes);
  if (!points) return points.error();
  for (const SweepPoint& point : *points) {
    const Result<std::vector<int>> prompt = prompt_of(point.experiment);
    if (!prompt) return prompt.error();
    if (point.experiment.prefill + std::int64_t(prompt->size()) + tokens > point.experiment.context) {
      return Error{"tokens " + std::to_string(tokens) + ": more than the context of " +
                   std::to_string(point.experiment.context) + " holds"};
    }
  }
  return SweepPlan{base, axes, std::move(*points), tokens};
}

Result<std::vector<SweepRun>> run_sweep(const SweepPlan& plan, const BackendChoice& backend_of,
                                        const std::function<void(const SweepRun&)>& finished, std::stop_token stop) {
  std::vector<SweepRun> runs;
  std::shared_ptr<const ModelWeights> weights;
  for (const SweepPoint& point : plan.points) {
    const Result<ComputeBackend*> backend = backend_of(point.experiment);
    if (!backend) return backend.error();
    const Result<LoadedModel> model = load(point.experiment, weights.get(), {}, stop);
    if (!model) return model.error();
    weights = model->weights;
    Result<SweepRun> run = measure(point, *model, plan.tokens, **backend, stop);
    if (!run) return run.error();
    runs.push_back(std::move(*run));
    if (finished) finished(runs.back());
  }
  return runs;
}

}  // namespace mla
