#pragma once

#include "core/engine/run.h"
#include "ui/session/snapshot.h"

namespace mla {

/// Compares the snapshot's experiment, which `model` runs, with another one on the tokens that the snapshot holds, in the
/// last layer that both run, where all that sets them apart has come together: what the view "compare" shows. Bits per byte
/// are measured of trained models that have text.
Status add_comparison(const LoadedModel& model, const Experiment& against, ComputeBackend& backend, ui::Snapshot& snapshot);

}  // namespace mla
