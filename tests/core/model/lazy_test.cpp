// Values of a checkpoint are converted when they are first used.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "core/analysis/memory.h"
#include "tests/core/io/temp_folder.h"
#include "tests/core/model/golden_run.h"

namespace mla {
namespace {

WeightValues counted(std::atomic<int>& made) {
  return WeightValues([&made] {
    ++made;
    Buffer<float> values(1000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(i);
    return values;
  });
}

TEST(WeightValues, AreMadeOnceWhoeverAsks) {
  std::atomic<int> made = 0, wrong = 0;
  const WeightValues values = counted(made), copy = values;
  EXPECT_FALSE(values.made());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        if ((*copy)[999] != 999) ++wrong;
      });
  }
  EXPECT_EQ(made, 1);
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(values.made());
  EXPECT_EQ(values->data(), copy->data());
  EXPECT_EQ(values, copy);
  EXPECT_NE(values, counted(made));
}

TEST(WeightValues, AreTriedAgainWhereMemoryRanOut) {
  int tries = 0;
  const WeightValues values(WeightValues::Make([&tries] {
    if (++tries == 1) throw std::bad_alloc();
    return Buffer<float>(3);
  }));
  EXPECT_THROW(*values, std::bad_alloc);
  EXPECT_FALSE(values.made());
  EXPECT_EQ(values->size(), 3u);
}

TEST(WeightValues, ThatAreThereAlreadyAreNotMade) {
  const WeightValues values = std::make_shared<Buffer<float>>(5), none;
  EXPECT_TRUE(values.made());
  EXPECT_TRUE(values);
  EXPECT_FALSE(none);
  EXPECT_FALSE(none.made());
}

int experts_made(const ModelWeights& weights) {
  int made = 0;
  for (const LayerWeights& layer : weights.layers)
    for (const ExpertWeights& expert : layer.moe.experts) made += expert.gate_proj.weight.values.made();
  return made;
}

TEST(LazyCheckpoint, OpeningConvertsNothingAndATokenOnlyItsExperts) {
  const Result<LoadedCheckpoint> model = load_checkpoint(golden_folder("moe-sigmoid"));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->weights->held_bytes(), 0);
  EXPECT_EQ(model->weights->bytes(), 4 * parameter_count(model->spec, 3));

  Experiment e;
  e.spec = model->spec;
  e.layers = 3;
  e.context = 4;
  const auto backend = make_cpu_backend();
  auto decoder = Decoder::create(e, *backend, model->weights);
  ASSERT_TRUE(decoder) << decoder.error().message;
  EXPECT_EQ(model->weights->held_bytes(), 0);
  ASSERT_TRUE((*decoder)->prefill(std::vector<int>{7}));
  EXPECT_EQ(experts_made(*model->weights), 2 * 4);  // two layers, four experts a token
  const std::int64_t expert = 3 * 30 * 11 * 4;
  EXPECT_EQ(model->weights->held_bytes(), model->weights->bytes() - (24 - 8) * expert);
  ASSERT_TRUE((*decoder)->prefill(std::vector<int>{3, 30, 12}));
  EXPECT_GT(experts_made(*model->weights), 8);
}

TEST(LazyCheckpoint, ConvertingMakesAllButTheRoutedExperts) {
  const Result<LoadedCheckpoint> model = load_checkpoint(golden_folder("moe-sigmoid"));
  ASSERT_TRUE(model) << model.error().message;
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(convert_weights(*model->weights, 2, {}, stopped.get_token()).error().message, "cancelled");
  EXPECT_EQ(model->weights->held_bytes(), 0);
  std::vector<double> told;
  ASSERT_TRUE(convert_weights(*model->weights, 2, [&](double done) { told.push_back(done); }));
  EXPECT_EQ(model->weights->held_bytes(), model->weights->bytes() - 24 * 3 * 30 * 11 * 4);
  ASSERT_FALSE(told.empty());
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  EXPECT_EQ(told.back(), 1);
  told.clear();
  ASSERT_TRUE(convert_weights(*model->weights, 2, [&](double done) { told.push_back(done); }));
  EXPECT_TRUE(told.empty());
}

TEST(LazyCheckpoint, TheNeedCountsTheExpertsThatTokensCanReach) {
  Experiment e;
  e.spec = *read_model_spec(golden_folder("moe-sigmoid"));
  e.layers = 3;
  e.context = 1;
  const std::int64_t all = memory_need(e).weights, expert = 3 * 30 * 11 * 4;
  EXPECT_EQ(all, weight_bytes(e));  // random weights are all made
  e.model = golden_folder("moe-sigmoid");
  EXPECT_EQ(memory_need(e).weights, all - 2 * (12 - 4) * expert);
  e.batch = 2;
  EXPECT_EQ(memory_need(e).weights, all - 2 * (12 - 8) * expert);
  e.batch = 1;
  e.context = 3;
  EXPECT_EQ(memory_need(e).weights, all);
  e.context = 1;
  e.layers = 1;  // the dense one
  EXPECT_EQ(memory_need(e).weights, weight_bytes(e));
}

TEST(LazyCheckpoint, ACheckpointLargerThanMemoryOpensByItsFirstLayers) {
  Experiment e;
  e.model = golden_folder("moe-softmax");
  e.spec = *read_model_spec(e.model);
  e.layers = 3;
  const std::int64_t whole = memory_need(e).total();
  EXPECT_FALSE(check_fits(e, whole - 1));
  EXPECT_NE(check_fits(e, 1000).error().message.find("context 4096"), std::string::npos);
  e.context = 2;
  EXPECT_NE(check_fits(e, 1000).error().message.find("layers 3 of 3: the run needs"), std::string::npos)
      << check_fits(e, 1000).error().message;
  const std::int64_t needed = memory_need(e).total(), all = weight_bytes(e);
  EXPECT_FALSE(check_fits(e, needed - 1, all - memory_need(e).weights));  // what is held may be other experts
  EXPECT_TRUE(check_fits(e, needed - 1, all - memory_need(e).weights + 1));
  e.layers = 1;
  EXPECT_TRUE(check_fits(e, whole - 1));
  EXPECT_NE(describe(e).find("the first 1 of 3 layers loaded"), std::string::npos) << describe(e);
  const Result<LoadedModel> model = load(e);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->weights->layers.size(), 1u);
  EXPECT_EQ(model->weights->bytes(), weight_bytes(e));
}

TEST(LazyCheckpoint, ReloadingSharesWhatTheFilesStillHold) {
  const TempFolder folder;
  for (const char* file : {"config.json", "model.safetensors"})
    std::filesystem::copy(golden_folder("moe-sigmoid") + "/" + file, folder.path());
  Experiment e;
  e.model = folder.path();
  e.spec = *read_model_spec(e.model);
  e.layers = 2;
  e.context = 8;
  const Result<LoadedModel> before = load(e);
  ASSERT_TRUE(before) << before.error().message;
  before->weights->layers[1].attention.o_proj.weight.data();
  e.layers = 3;
  e.path = AttentionPath::expanded;
  const Result<LoadedModel> after = load(e, before->weights.get());
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->weights->layers[1].attention.o_proj.weight.values,
            before->weights->layers[1].attention.o_proj.weight.values);
  EXPECT_EQ(after->weights->held_bytes(), before->weights->held_bytes());
  EXPECT_EQ(after->weights->lm_head.values, after->weights->embed_tokens.values);

  const auto later = std::filesystem::last_write_time(folder / "model.safetensors") + std::chrono::seconds(2);
  std::filesystem::last_write_time(folder / "model.safetensors", later);
  const Result<LoadedModel> changed = load(e, after->weights.get());
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed->weights->held_bytes(), 0);
}

// The first layers of a model do what they do in the whole of it, whatever follows.
TEST(LazyCheckpoint, PickedLayersAttendAsInTheWholeModel) {
  const std::string folder = golden_folder("moe-sigmoid");
  const Result<LoadedCheckpoint> whole = load_checkpoint(folder), picked = load_checkpoint(folder, {.layers = 2});
  ASSERT_TRUE(whole && picked);
  EXPECT_EQ(picked->weights->layers.size(), 2u);
  const auto all = run_model(folder, *whole, AttentionPath::absorbed, Feed::one_pass);
  Experiment e;
  e.spec = picked->spec;
  e.layers = 2;
  e.context = 16;
  const auto backend = make_cpu_backend();
  auto some = Decoder::create(e, *backend, picked->weights);
  ASSERT_TRUE(all && some);
  (*some)->keep_outputs(true);
  const GoldenInput input = *read_golden_input(folder, e.spec);
  const auto trace = (*some)->prefill(input.tokens, {TraceRequest::Layers::all});
  ASSERT_TRUE(trace);
  ASSERT_EQ(trace->attention.size(), 2u * input.tokens.size());
  for (std::size_t i = 0; i < trace->attention.size(); ++i)
    EXPECT_EQ(trace->attention[i]->weights, all->traces[0].attention[i]->weights);
  EXPECT_EQ((*some)->outputs().size(), input.tokens.size() * std::size_t(e.spec.vocab_size));
}

TEST(LazyCheckpoint, LayersThatAreNotPickedAreCheckedAllTheSame) {
  const TempFolder folder;
  for (const char* file : {"config.json", "model.safetensors"})
    std::filesystem::copy(golden_folder("moe-sigmoid") + "/" + file, folder.path());
  std::string bytes = *read_file(folder / "model.safetensors");
  const std::string name = "model.layers.2.mlp.experts.11.up_proj.weight";
  bytes.replace(bytes.find(name), name.size(), "model.layers.2.mlp.experts.11.up_proj.weighs");
  write_plainly(folder / "model.safetensors", bytes);
  const Result<LoadedCheckpoint> model = load_checkpoint(folder.path(), {.layers = 1});
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().message.find(name + " is missing"), std::string::npos) << model.error().message;
}

}  // namespace
}  // namespace mla
