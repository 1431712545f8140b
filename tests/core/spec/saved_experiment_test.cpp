#include "core/spec/saved_experiment.h"

#include <gtest/gtest.h>

namespace mla {
namespace {

SavedExperiment sample() {
  SavedExperiment saved{default_experiment(), {}, {}};
  saved.experiment.spec.attention.kv_lora_rank = 24;
  saved.pinned.push_back(default_experiment());
  saved.pinned.push_back(*apply(default_experiment(), {"variant", "gqa"}));
  saved.views = {{"coupled", {{"rope", "decoupled"}}}, {"attention", {{"colours", "log"}, {"values", "rope"}}}};
  return saved;
}

TEST(SavedExperiment, ReadsBackExactly) {
  const auto read = saved_experiment_from_json(to_json(sample()), "x.mla.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, sample());
}

TEST(SavedExperiment, WithNothingBesideItIsTheExperimentAlone) {
  const SavedExperiment saved{default_experiment(), {}, {{"memory", {}}}};
  EXPECT_EQ(to_json(saved), to_json(default_experiment()));
  const auto read = saved_experiment_from_json(to_json(default_experiment()), "x");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->pinned.empty() && read->views.empty());
}

TEST(SavedExperiment, ItsExperimentCanBeReadAlone) {
  const auto read = experiment_from_json(to_json(sample()), "x");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, sample().experiment);
}

TEST(SavedExperiment, WhatIsLeftOutComesFromTheModel) {
  const std::string text = R"({"format": "mla-explorer experiment", "version": 1, "model": "some/model", "context": 77,
      "spec": {"kv_lora_rank": 12}})";
  Experiment own = default_experiment();
  own.model = "some/model";
  own.spec.attention.kv_lora_rank = 40;
  own.layers = 1;
  const auto read = saved_experiment_from_json(text, "f", [&](const std::string& model) -> Result<Experiment> {
    EXPECT_EQ(model, "some/model");
    return own;
  });
  ASSERT_TRUE(read) << read.error().message;
  own.context = 77;
  own.spec.attention.kv_lora_rank = 12;
  EXPECT_EQ(read->experiment, own);
}

TEST(SavedExperiment, AModelThatIsGoneIsRefusedWhereItsSizesAreWanted) {
  const ModelLookup gone = [](const std::string& model) -> Result<Experiment> {
    return Error{model + ": no such directory"};
  };
  const std::string head = R"({"format": "mla-explorer experiment", "version": 1, "model": "some/model")";
  const auto refused = saved_experiment_from_json(head + "}", "f", gone);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "f: model some/model: no such directory");
  SavedExperiment saved = sample();
  saved.pinned[0].model = "some/model";
  const auto read = saved_experiment_from_json(to_json(saved), "f", gone);
  ASSERT_TRUE(read) << "a file that says all sizes: " << read.error().message;
  EXPECT_EQ(*read, saved);
}

TEST(SavedExperiment, MistakesAreNamed) {
  const std::string head = R"({"format": "mla-explorer experiment", "version": 1, )";
  const std::string inner = R"({"format": "mla-explorer experiment", "version": 1)";
  const std::vector<std::pair<std::string, std::string>> table{
      {head + R"("pinned": 3})", "f: \"pinned\": must be a list"},
      {head + R"("pinned": [7]})", "f: pinned[0]: must be a JSON object"},
      {head + R"("pinned": [{}]})", "f: pinned[0]: not an experiment file"},
      {head + R"("pinned": [)" + inner + "}, " + inner + R"(, "batch": 0}]})", "f: pinned[1]: batch is 0"},
      {head + R"("pinned": [)" + inner + R"(, "pinned": []}]})", "f: pinned[0]: unknown field \"pinned\""},
      {head + R"("views": []})", "f: views: must be a JSON object"},
      {head + R"("views": {"coupled": "on"}})", "f: views: coupled: must be a JSON object"},
      {head + R"("views": {"coupled": {"rope": true}}})", "f: views: coupled: \"rope\": must be text"},
  };
  for (const auto& [text, names] : table) {
    const auto read = saved_experiment_from_json(text, "f");
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().message.find(names), std::string::npos) << read.error().message << "\n  wants " << names;
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace mla
