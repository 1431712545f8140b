#include "app/window/analyses.h"

#include <utility>

#include "core/analysis/studies.h"
#include "core/model/model_catalog.h"

namespace mla {
namespace {

/// Puts a study's outcome where the views look for it.
template <class T>
Status keep(Result<T> outcome, std::shared_ptr<const T>& where) {
  if (!outcome) return outcome.error();
  where = std::make_shared<const T>(std::move(*outcome));
  return {};
}

}  // namespace

Status add_analysis(const std::string& view, const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
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
