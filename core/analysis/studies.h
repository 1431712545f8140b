#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/cache_error.h"
#include "core/analysis/coupled_rope.h"
#include "core/analysis/head_kinds.h"
#include "core/analysis/rank_lens_measure.h"

namespace mla {

// What people look at beside a decode, as the window and `render` compute it: the measurements of this folder with usual
// texts and sizes.

/// What a trained model is studied on.
struct StudyText {
  std::vector<int> tokens;
  std::string name;  ///< as a person knows it
};

/// The excerpt, as far as the model has a vocabulary for it; else the experiment's prompt.
Result<StudyText> study_text(const LoadedModel& model, const Result<std::string>& excerpt);

/// The rank lens at the usual ranks, of weights as stored; a lens that the model is under is taken off first.
Result<RankCurve> study_ranks(const LoadedModel& model, const StudyText& text, ComputeBackend& backend,
                              const Progress& progress = {}, std::stop_token stop = {});

/// Coupled RoPE, of weights as stored, in the layer whose scores suffer most.
Result<CoupledRope> study_coupling(const LoadedModel& model, const StudyText& text, ComputeBackend& backend,
                                   const Progress& progress = {}, std::stop_token stop = {});

/// The kinds of all heads of the layers that run: sinks and previous-token heads by the text, induction heads by repeated
/// random tokens.
Result<std::vector<HeadScore>> study_heads(const LoadedModel& model, const StudyText& text, ComputeBackend& backend,
                                           const Progress& progress = {}, std::stop_token stop = {});

/// What the cache's precision changes, on the beginning of the text; without a vocabulary on synthetic vectors.
Result<CacheError> study_precision(const LoadedModel& model, const Result<std::string>& excerpt, ComputeBackend& backend,
                                   const Progress& progress = {}, std::stop_token stop = {});

}  // namespace mla
