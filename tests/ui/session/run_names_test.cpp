#include "ui/session/run_names.h"

#include <gtest/gtest.h>

#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

Experiment with(const Experiment& base, const char* setting, const char* value) { return *apply(base, {setting, value}); }

TEST(RunNamesTest, NamesSayWhatDiffersAndNothingElse) {
  const Experiment present = tiny_experiment();
  const Experiment eight = with(present, "kv-lora-rank", "8"), two = with(present, "cache-dtype", "bf16");
  EXPECT_EQ(names_of_runs({&eight}, present), std::vector<QString>{"kv-lora-rank 8"});
  EXPECT_EQ(names_of_runs({&eight, &two}, present),
            (std::vector<QString>{"kv-lora-rank 8 · fp32", "kv-lora-rank 24 · bf16"}));
}

TEST(RunNamesTest, OfManyDifferencesTheNameHasWhatTellsTheRunsApart) {
  const Experiment present = tiny_experiment();
  const Experiment eight = with(present, "kv-lora-rank", "8"), grouped = with(present, "variant", "gqa");
  EXPECT_EQ(names_of_runs({&eight, &grouped}, present), (std::vector<QString>{"MLA · kv-lora-rank 8", "GQA"}));
}

TEST(RunNamesTest, EqualRunsAreDescribed) {
  const Experiment present = tiny_experiment();
  EXPECT_EQ(names_of_runs({&present}, present).front().toStdString(), describe(present));
}

}  // namespace
}  // namespace mla::ui
