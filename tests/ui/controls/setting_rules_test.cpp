#include "ui/controls/setting_rules.h"

#include <gtest/gtest.h>

#include "core/spec/presets.h"

namespace mla::ui {
namespace {

/// What can be moved can be applied: no control is open that every value refuses, in any preset.
TEST(SettingRulesTest, OpenSlidersHaveValuesThatApply) {
  for (const Preset& preset : presets()) {
    const Experiment experiment = experiment_from(preset);
    for (const std::string setting :
         {"kv-lora-rank", "q-lora-rank", "heads", "kv-heads", "v-head-dim", "layers", "context", "batch"}) {
      if (!reason_against(experiment, setting).isEmpty()) continue;
      const SettingRange range = range_of(experiment, setting);
      int applies = 0;
      for (int stop = 0; stop < range.stops.size(); ++stop) {
        const auto next = apply(experiment, {setting, std::to_string(range.stops.value(stop))});
        if (next && validate(*next)) ++applies;
      }
      EXPECT_GT(applies, 0) << preset.name << " " << setting;
    }
  }
}

TEST(SettingRulesTest, WhatMeansNothingHasAReason) {
  const Experiment mla = default_experiment();
  EXPECT_TRUE(reason_against(mla, "kv-lora-rank").isEmpty());
  EXPECT_FALSE(reason_against(mla, "kv-heads").isEmpty());
  const Experiment mha = *apply(mla, {"variant", "mha"});
  EXPECT_FALSE(reason_against(mha, "kv-lora-rank").isEmpty());
  const Experiment toy = experiment_from(*find_preset("tutorial"));
  for (const char* setting : {"variant", "rope-dim", "nope-dim", "v-head-dim", "layers"}) {
    EXPECT_FALSE(reason_against(toy, setting).isEmpty()) << setting;
  }
}

TEST(SettingRulesTest, TellsWhatFollowed) {
  const Experiment mla = default_experiment();
  EXPECT_TRUE(what_followed(mla, *apply(mla, {"kv-lora-rank", "8"}), "kv-lora-rank").isEmpty());
  EXPECT_TRUE(what_followed(mla, *apply(mla, {"variant", "mqa"}), "variant").contains("kv-heads 1"));
}

}  // namespace
}  // namespace mla::ui
