#pragma once

#include <random>
#include <string>

#include "core/spec/experiment.h"
#include "core/spec/presets.h"

namespace mla {

/// A random valid experiment: a preset or the default one with some settings changed.
inline Experiment random_experiment(std::mt19937& random) {
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const auto number = [&](int low, int high) { return std::to_string(pick(low, high)); };
  const int start = pick(-3, static_cast<int>(presets().size()) - 1);
  Experiment experiment = start < 0 ? default_experiment() : experiment_from(presets()[start]);
  const char* variants[] = {"mla", "mha", "gqa", "mqa"};
  const char* paths[] = {"uncached", "expanded", "reexpanded", "absorbed"};
  const char* weights[] = {"stored", "bf16", "int8"};
  const char* dtypes[] = {"fp32", "fp16", "bf16", "fp8", "int8"};
  const char* isas[] = {"", "portable", "avx2", "avx512", "avx512bf16"};
  const std::vector<Setting> wishes{{"variant", variants[pick(0, 3)]},
                                    {"attention", paths[pick(0, 3)]},
                                    {"hidden-size", number(1, 8192)},
                                    {"heads", number(1, 200)},
                                    {"kv-heads", number(1, 16)},
                                    {"kv-lora-rank", number(1, 600)},
                                    {"q-lora-rank", number(0, 900)},
                                    {"v-head-dim", number(1, 300)},
                                    {"rope-dim", std::to_string(2 * pick(0, 60))},
                                    {"nope-dim", number(0, 300)},
                                    {"layers", number(1, 40)},
                                    {"context", number(1000, 100000)},
                                    {"prefill", number(0, 900)},
                                    {"batch", number(1, 64)},
                                    {"weights-dtype", weights[pick(0, 2)]},
                                    {"cache-dtype", dtypes[pick(0, 4)]},
                                    {"threads", number(0, 64)},
                                    {"isa", isas[pick(0, 3)]},
                                    {"seed", std::to_string((std::uint64_t(random()) << 32) | random())},
                                    {"temperature", std::to_string(pick(0, 9999) / 1e4)},
                                    {"top-k", number(0, 300)},
                                    {"top-p", std::to_string(pick(1, 999) / 1e3)},
                                    {"prompt", "Pröbe " + number(0, 99) + "\n\"\\"}};
  for (const Setting& wish : wishes) {
    if (pick(0, 2) == 0) continue;
    const auto changed = apply(experiment, wish);
    if (changed && validate(*changed)) experiment = *changed;
  }
  return experiment;
}

}  // namespace mla
