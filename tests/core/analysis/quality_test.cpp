#include "core/analysis/quality.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/io/file.h"
#include "core/model/elastic.h"
#include "core/model/model_catalog.h"

namespace mla {
namespace {

std::string held_out() { return *held_out_excerpt(); }

/// The start of the held-out excerpt, cut after a line.
std::string short_text() {
  const std::string text = held_out();
  return text.substr(0, text.find('\n', 1500) + 1);
}

Result<Quality> measure(const Experiment& experiment, const std::string& text, std::stop_token stop = {}) {
  const auto model = load(experiment);
  if (!model) return model.error();
  const auto backend = make_cpu_backend();
  return measure_quality(*model, *backend, text, {}, stop);
}

Experiment fairy_tales(const std::vector<Setting>& settings = {}) {
  return *apply_all(*experiment_of_model(std::string(kFairyTales)), settings);
}

TEST(Quality, AgreesWithPyTorchAtEverySize) {
  const auto text = read_file(std::string(MLA_SOURCE_DIR) + "/tests/golden/quality.json");
  ASSERT_TRUE(text) << text.error().message;
  const auto points = nlohmann::json::parse(*text);
  ASSERT_GE(points.size(), 5u);
  for (const auto& point : points) {
    Experiment experiment = *experiment_of_model(point["model"]);
    for (const char* axis : {"kv-lora-rank", "rope-dim", "heads"})
      if (point.contains(axis)) experiment = *apply(experiment, {axis, point[axis].dump()});
    const auto quality = measure(experiment, held_out());
    ASSERT_TRUE(quality) << quality.error().message;
    EXPECT_NEAR(quality->bits_per_byte(), point["bits_per_byte"].get<double>(), 1e-3) << point.dump();
    EXPECT_EQ(quality->bytes, std::int64_t(held_out().size()));
  }
}

TEST(Quality, FollowsEveryWeight) {
  const Experiment experiment = fairy_tales();
  const auto model = load(experiment);
  ASSERT_TRUE(model) << model.error().message;
  const auto backend = make_cpu_backend();
  const auto before = measure_quality(*model, *backend, short_text());
  ASSERT_TRUE(before) << before.error().message;
  auto changed = std::make_shared<ModelWeights>(*model->weights);
  Weight& norm = changed->norm;
  auto values = std::make_shared<Buffer<float>>(std::size_t(norm.rows));
  std::copy_n(norm.data(), norm.rows, values->data());
  values->data()[3] *= 2;
  norm.values = std::move(values);
  const auto after = measure_quality({experiment, changed, model->vocabulary}, *backend, short_text());
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_NE(before->bits, after->bits);
}

TEST(Quality, EveryPathAgreesAndCachePrecisionShows) {
  const double absorbed = measure(fairy_tales(), short_text())->bits_per_byte();
  for (const char* path : {"expanded", "reexpanded"})
    EXPECT_NEAR(measure(fairy_tales({{"attention", path}}), short_text())->bits_per_byte(), absorbed, 1e-5) << path;
  const double bf16 = measure(fairy_tales({{"cache-dtype", "bf16"}}), short_text())->bits_per_byte();
  EXPECT_NE(bf16, absorbed);
  EXPECT_NEAR(bf16, absorbed, 0.01);
}

TEST(Quality, LogProbabilitiesAreThoseOfASoftmax) {
  const std::vector<float> logits{1, -2, 0.5f, 3};
  double sum = 0, total = 0;
  for (const float logit : logits) sum += std::exp(double(logit));
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(log_probability(logits, i), std::log(std::exp(double(logits[std::size_t(i)])) / sum), 1e-12);
    total += std::exp(log_probability(logits, i));
  }
  EXPECT_NEAR(total, 1, 1e-12);
  EXPECT_NEAR(log_probability(std::vector<float>{1000, 999}, 1), -1 - std::log1p(std::exp(-1.0)), 1e-9);
}

TEST(Quality, WindowsCountEveryTokenOnceWithContextBeforeIt) {
  for (const bool begin : {true, false})
    for (const int context : {1, 2, 7, 16})
      for (const std::int64_t tokens : {2, 3, 7, 8, 15, 16, 17, 40, 41}) {
        std::vector<int> counted(std::size_t(tokens), 0);
        for (const EvaluationWindow& w : evaluation_windows(tokens, context, begin)) {
          EXPECT_LE(w.outputs, context);
          EXPECT_EQ(w.fed + (begin ? 1 : 0), w.outputs);
          EXPECT_LE(w.first + w.fed, tokens);
          for (int i = w.counted_from; i < w.outputs; ++i) ++counted[std::size_t(w.first + i + (begin ? 0 : 1))];
          if (w.first > 0) {
            EXPECT_GE(w.counted_from, context / 2) << "half a window of context";
          }
        }
        for (std::int64_t t = begin ? 0 : 1; t < tokens; ++t) EXPECT_EQ(counted[std::size_t(t)], 1) << t;
        if (!begin) {
          EXPECT_EQ(counted[0], 0);
        }
      }
}

TEST(Quality, WithoutTextOrTimeItSaysSo) {
  Experiment random = default_experiment();
  random.spec.vocab_size = 300;
  const auto no_text = measure(random, "abc");
  ASSERT_FALSE(no_text);
  EXPECT_NE(no_text.error().message.find("tokenizer.json"), std::string::npos);
  EXPECT_FALSE(measure(fairy_tales(), ""));
  std::stop_source stopped;
  stopped.request_stop();
  const auto cancelled = measure(fairy_tales(), short_text(), stopped.get_token());
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().message, "cancelled");
}

}  // namespace
}  // namespace mla
