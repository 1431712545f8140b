#pragma once

#include <string>

#include "core/engine/run.h"
#include "ui/session/snapshot.h"

namespace mla {

/// Computes what a view shows beyond the decode of its snapshot: the rank lens ("rank") and coupled RoPE ("coupled") on
/// text that the model did not make itself; quality against bytes ("quality"); where paths cross ("crossover"); the kinds of
/// heads of a trained model
/// ("heads", "window"). Nothing for the other views; an Error where the model has no such thing.
Status add_analysis(const std::string& view, const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot);

}  // namespace mla
