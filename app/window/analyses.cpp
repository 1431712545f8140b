#include "app/window/analyses.h"

#include <utility>

#include "app/window/excerpt_quality.h"
#include "core/analysis/quality_curve.h"
#include "core/analysis/studies.h"
#include "core/model/model_catalog.h"
#include "ui/session/study.h"

namespace mla {
namespace {

/// Puts a study's outcome where the views look for it.
template <class T>
Status keep(Result<T> outcome, std::shared_ptr<const T>& where) {
  if (!outcome) return outcome.error();
  where = std::make_shared<const T>(std::move(*outcome));
  return {};
}

/// What the window's status line says; of a large model nothing, as there.
Status add_gauge(const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
  if (!ui::studied_unasked(model.experiment)) return {};
  const auto bits = excerpt_bits_per_byte(model, backend);
  if (!bits) return bits.error();
  if (*bits) snapshot.quality = {ui::QualityReport::State::known, **bits, {}};
  return {};
}

/// Where the paths cross, measured now.
Status add_crossover(const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
  return keep(measure_crossover(model.experiment, model.weights, backend), snapshot.crossover.crossover);
}

/// Quality at every point of the curve, each with a model of its own.
Status add_quality(const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
  std::vector<QualityPoint> curve = plan_quality_curve(model.experiment);
  for (QualityPoint& point : curve) {
    const auto loaded = load(point.experiment, model.weights.get());
    if (!loaded) return loaded.error();
    const auto bits = excerpt_bits_per_byte(*loaded, backend);
    if (!bits) return bits.error();
    point.bits_per_byte = bits->value_or(0);
  }
  snapshot.quality_curve = std::make_shared<const std::vector<QualityPoint>>(std::move(curve));
  return {};
}

}  // namespace

Status add_analysis(const std::string& view, const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
  if (view == "quality") return add_quality(model, backend, snapshot);
  if (view == "crossover") return add_crossover(model, backend, snapshot);
  if (view == "window") {
    if (const Status gauged = add_gauge(model, backend, snapshot); !gauged) return gauged;
  }
  const bool heads = view == "heads" || view == "window";
  if (!heads && view != "rank" && view != "coupled") return {};
  if (heads && (model.weights->random || model.experiment.spec.vocab_size == 0)) return {};  // no kinds of heads
  const Result<StudyText> text = study_text(model, held_out_excerpt());
  if (!text) return text.error();
  if (heads) return keep(study_heads(model, *text, backend), snapshot.head_kinds);
  if (view == "rank") return keep(study_ranks(model, *text, backend), snapshot.rank);
  return keep(study_coupling(model, *text, backend), snapshot.coupled);
}

}  // namespace mla
