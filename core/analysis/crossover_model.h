#pragma once

#include "core/analysis/crossover.h"

namespace mla {

/// The experiment less what is the same on every path: feed-forward (which the toy block keeps), embedding and logits,
/// prompt and sampling.
Experiment attention_of(const Experiment& experiment, AttentionPath path, int batch);

/// The weights that it needs, shared with the experiment's.
std::shared_ptr<const ModelWeights> attention_weights(const ModelWeights& whole, bool toy);

/// "absorbed", "expanded", "re-expanded".
std::string title_of(AttentionPath path);

/// Milliseconds of the stages that are attention, of those of a step.
double attention_ms(const StageTimes& stages);

/// What the roofline expects of a step on that path at size x of a sweep. 0 without ceilings.
double modelled_ms(const Crossover& crossover, const CrossoverSweep& sweep, AttentionPath path, int x);

}  // namespace mla
