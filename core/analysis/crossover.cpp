#include "core/analysis/crossover.h"

#include <algorithm>
#include <map>

#include "core/analysis/crossover_model.h"

namespace mla {
namespace {

constexpr double kEqualWork = 1.0001;  // of two paths that do the same, booked in another order

using Value = double CrossoverPoint::*;

const CrossoverPoint* find(const CrossoverSweep& sweep, AttentionPath path, int x) {
  const auto at = std::find_if(sweep.points.begin(), sweep.points.end(),
                               [&](const CrossoverPoint& p) { return p.path == path && p.x == x; });
  return at == sweep.points.end() ? nullptr : &*at;
}

/// Both paths at the sizes that both have, ascending.
Course course_between(const CrossoverSweep& sweep, AttentionPath first, AttentionPath second, Value value) {
  std::map<int, PairPoint> both;
  for (const CrossoverPoint& point : sweep.points) {
    const CrossoverPoint* other = point.path == first ? find(sweep, second, point.x) : nullptr;
    if (other && point.*value > 0 && other->*value > 0) both[point.x] = {double(point.x), point.*value, other->*value};
  }
  std::vector<PairPoint> points;
  for (const auto& [x, point] : both) points.push_back(point);
  return course_of(points, value == &CrossoverPoint::measured_ms ? kCrossoverTie : kEqualWork);
}

std::vector<Crossing> crossings_of(const CrossoverSweep& sweep, Value value) {
  std::vector<Crossing> all;
  for (std::size_t i = 0; i < kCrossoverPaths.size(); ++i)
    for (std::size_t j = i + 1; j < kCrossoverPaths.size(); ++j) {
      const AttentionPath first = kCrossoverPaths[i], second = kCrossoverPaths[j];
      const Course course = course_between(sweep, first, second, value);
      bool first_leads = course.start == Lead::first;
      for (const double x : course.crossings) {
        all.push_back(first_leads ? Crossing{first, second, x} : Crossing{second, first, x});
        first_leads = !first_leads;
      }
    }
  std::sort(all.begin(), all.end(), [](const Crossing& a, const Crossing& b) { return a.x < b.x; });
  return all;
}

std::string_view unit_of(SweepKind kind) {
  if (kind == SweepKind::decode) return "cached tokens";
  return kind == SweepKind::prefill ? "tokens of prompt" : "sequences";
}

/// Absorbed against the other paths: "does absorption pay?"
std::string answer_of(const CrossoverSweep& sweep) {
  std::string answer;
  for (const AttentionPath other : {AttentionPath::expanded, AttentionPath::reexpanded}) {
    const std::string other_title = title_of(other);
    CourseWords words{sweep.kind == SweepKind::prefill ? "Absorbed prefill" : "Absorbed decode", other_title,
                      unit_of(sweep.kind), kCrossoverTie};
    words.brief = !answer.empty();
    if (words.brief) words.first = "It";
    const std::string sentence =
        describe_courses(course_between(sweep, AttentionPath::absorbed, other, &CrossoverPoint::measured_ms),
                         course_between(sweep, AttentionPath::absorbed, other, &CrossoverPoint::modelled_ms), words);
    if (!answer.empty() && !sentence.empty()) answer += ' ';
    answer += sentence;
  }
  return answer;
}

}  // namespace

std::string_view name_of(SweepKind kind) {
  if (kind == SweepKind::decode) return "decode";
  return kind == SweepKind::prefill ? "prefill" : "batch";
}

Status check_crossover(const Experiment& experiment) {
  const AttentionSpec& attention = experiment.spec.attention;
  if (attention.is_mla()) return {};
  return Error{"crossover: " + title_of(attention) +
               " caches keys and values as they are and has one way to read them; only MLA and the toy block have three"};
}

Experiment attention_of(const Experiment& experiment, AttentionPath path, int batch) {
  const Experiment defaults = default_experiment();
  Experiment e = experiment;
  e.path = path;
  e.batch = batch;
  e.preset.clear();
  e.prompt.clear();
  e.prefill = 0;
  e.sampling = defaults.sampling;
  e.spec.vocab_size = 0;
  if (e.spec.block == BlockKind::toy) return e;
  e.spec.block = BlockKind::attention;
  e.spec.intermediate_size = 0;
  e.spec.moe.reset();
  return e;
}

std::shared_ptr<const ModelWeights> attention_weights(const ModelWeights& whole, bool toy) {
  auto weights = std::make_shared<ModelWeights>(whole);
  weights->embed_tokens = weights->norm = weights->lm_head = {};
  weights->lens.reset();
  if (toy) return weights;
  for (LayerWeights& layer : weights->layers) {
    layer.post_norm = {};
    layer.gate_proj = layer.up_proj = layer.down_proj = {};
    layer.moe = {};
  }
  return weights;
}

std::string title_of(AttentionPath path) {
  return path == AttentionPath::reexpanded ? "re-expanded" : std::string(name_of(path));
}

double attention_ms(const StageTimes& stages) {
  double ms = 0;
  for (const Stage stage : {Stage::query, Stage::append, Stage::scores, Stage::softmax, Stage::values, Stage::output})
    ms += stages[std::size_t(stage)];
  return ms;
}

double modelled_ms(const Crossover& crossover, const CrossoverSweep& sweep, AttentionPath path, int x) {
  const bool batches = sweep.kind == SweepKind::batch;
  const Experiment e = attention_of(crossover.experiment, path, batches ? x : sweep.batch);
  const StepCost cost =
      sweep.kind == SweepKind::prefill ? prefill_cost(e, x, true) : decode_cost(e, batches ? sweep.tokens : x);
  return attention_ms(roofline_stages(cost, crossover.ceilings));
}

void conclude(Crossover& crossover) {
  for (CrossoverSweep& sweep : crossover.sweeps) {
    for (CrossoverPoint& point : sweep.points) point.modelled_ms = modelled_ms(crossover, sweep, point.path, point.x);
    sweep.measured = crossings_of(sweep, &CrossoverPoint::measured_ms);
    sweep.modelled = crossings_of(sweep, &CrossoverPoint::modelled_ms);
    sweep.answer = answer_of(sweep);
  }
}

std::string crossover_key(const Experiment& experiment) {
  return to_json(attention_of(experiment, AttentionPath::absorbed, experiment.batch));
}

}  // namespace mla
