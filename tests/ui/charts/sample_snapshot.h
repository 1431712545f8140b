#pragma once

#include <memory>
#include <vector>

#include "core/analysis/memory.h"
#include "ui/session/snapshot.h"

namespace mla::ui::sample {

/// Steps of a made-up run: after a prompt of `prompt` tokens, the first token takes 40 ms and the i-th 0.2 + 0.001 i after
/// it, half of it in `scores`, the rest in `values`; bytes as the formula has them.
inline std::shared_ptr<std::vector<Step>> steps(const Experiment& experiment, int count, int prompt = 10,
                                                double roofline_ms = 0) {
  auto out = std::make_shared<std::vector<Step>>();
  const auto row = cache_bytes_per_token(experiment.spec, experiment.path, experiment.cache_dtype, experiment.layers);
  for (int i = 0; i < count; ++i) {
    Step step;
    step.tokens = prompt + i + 1;
    step.ms = i == 0 ? 40 : 0.2 + 0.001 * i;
    step.stages[std::size_t(Stage::scores)] = step.ms / 2;
    step.stages[std::size_t(Stage::values)] = step.ms / 2;
    step.cache_bytes = row * experiment.batch * step.tokens;
    step.cache_allocated_bytes = row * experiment.batch * ((step.tokens + 63) / 64 * 64);
    step.roofline_ms = roofline_ms;
    out->push_back(step);
  }
  return out;
}

/// A snapshot of DeepSeek-V2's attention, one of its 60 layers, bf16, two sequences.
inline std::shared_ptr<Snapshot> snapshot(int count) {
  auto out = std::make_shared<Snapshot>();
  Experiment& e = out->experiment;
  e.spec.attention = {Variant::mla, 5120, 128, 128, 128, 64, 128, 512, 1536, {}};
  e.spec.block = BlockKind::attention;
  e.spec.num_hidden_layers = 60;
  e.layers = 1;
  e.cache_dtype = CacheDtype::bf16;
  e.batch = 2;
  out->run = 1;
  out->state = Snapshot::State::running;
  out->steps = steps(e, count);
  return out;
}

}  // namespace mla::ui::sample
