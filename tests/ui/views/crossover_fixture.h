#pragma once

#include <memory>

#include "ui/session/snapshot.h"

namespace mla::ui::sample {

/// Made-up times of one layer: absorbed decode takes 1 ms at any context, expanded a millisecond for every 256 tokens,
/// re-expanded always 10; prefill likewise, the other way round. Nothing is known of batches.
inline std::shared_ptr<const Crossover> crossover() {
  auto made = std::make_shared<Crossover>();
  made->experiment = default_experiment();
  made->experiment.layers = 1;
  made->ceilings = {.read_gb_s = 20, .fp32_gflop_s = 100, .threads = 2};
  for (const SweepKind kind : kSweepKinds) {
    CrossoverSweep& sweep = made->sweeps[std::size_t(kind)];
    sweep.kind = kind;
    sweep.tokens = kind == SweepKind::batch ? 1024 : 0;
    sweep.batch = kind == SweepKind::batch ? 0 : 1;
    if (kind == SweepKind::batch) continue;
    const bool decode = kind == SweepKind::decode;
    for (const int x : {64, 128, 256, 512, 1024, 2048}) {
      const double rising = x / 256.0;
      sweep.points.push_back({AttentionPath::absorbed, x, 16, decode ? 1 : rising, 0});
      sweep.points.push_back({AttentionPath::expanded, x, 16, decode ? rising : 1, 0});
      sweep.points.push_back({AttentionPath::reexpanded, x, 16, 10, 0});
    }
  }
  conclude(*made);
  return made;
}

/// A running decode of which that was measured.
inline std::shared_ptr<Snapshot> measured_crossover() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->run = 1;
  snapshot->state = Snapshot::State::paused;
  snapshot->experiment = default_experiment();
  snapshot->crossover.crossover = crossover();
  return snapshot;
}

}  // namespace mla::ui::sample
