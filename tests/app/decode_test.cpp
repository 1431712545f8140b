#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "tests/app/program.h"

namespace mla::testing {
namespace {

/// A small model, so that every run takes milliseconds.
const std::vector<std::string> kSmall = {"--hidden-size", "64", "--heads", "3", "--kv-lora-rank", "24", "--seed", "7"};

Ended decode(const Folder& folder, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"decode"};
  arguments.insert(arguments.end(), kSmall.begin(), kSmall.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(folder, arguments);
}

/// Equal up to rounding, relative to the largest value.
void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  ASSERT_FALSE(a.empty());
  double range = 0;
  for (const float value : a) range = std::max(range, double(std::abs(value)));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance * range) << i;
}

TEST(Decode, JsonHoldsTheFixedKeysAndNothingElseIsPrinted) {
  const Folder folder;
  const Ended ended = decode(folder, {"--prompt", "Once", "--steps", "3", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  const auto document = ended.json();
  EXPECT_TRUE(document["text"].get<std::string>().starts_with("Once"));
  EXPECT_EQ(document["tokens"].size(), 7u);
  EXPECT_EQ(document["tokens"][0], 'O');
  EXPECT_EQ(document["backend"], "cpu");
  EXPECT_EQ(document["layers_run"], 2);
  EXPECT_EQ(document["layers"], 2);
  ASSERT_EQ(document["steps"].size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const auto& step = document["steps"][i];
    EXPECT_GT(step["ms"].get<double>(), 0);
    EXPECT_EQ(step["cache_bytes"], (5 + i) * 2 * (24 + 32) * 4);
    EXPECT_GE(step["cache_allocated_bytes"], step["cache_bytes"]);
    EXPECT_EQ(step["stages"].size(), 8u);
    EXPECT_EQ(step["attention_stages_by"], "measured");
    EXPECT_GT(step["operations"], 0);
    EXPECT_GT(step["bytes"], 0);
  }
  EXPECT_EQ(document["cache_bytes"], document["steps"][2]["cache_bytes"]);
}

TEST(Decode, JsonSaysHowAOnePassStepsTimeWasSplit) {
  const Folder folder;
  const Ended ended = decode(folder, {"--prompt", "Once", "--steps", "1", "--attention", "expanded", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.json()["steps"][0]["attention_stages_by"], "thread times");
}

TEST(Decode, GoesSixtyFourStepsFromAPromptAndNoneFromTokens) {
  const Folder folder;
  EXPECT_EQ(decode(folder, {"--prompt", "a", "--json", "-"}).json()["steps"].size(), 64u);
  EXPECT_EQ(decode(folder, {"--tokens", "1,2", "--json", "-"}).json()["steps"].size(), 0u);
}

TEST(Decode, OneByOneEqualsPrefill) {
  const Folder folder;
  const Ended stepped =
      decode(folder, {"--tokens", "65,66", "--steps", "6", "--dump", "stepped.safetensors", "--json", "-"});
  ASSERT_EQ(stepped.code, 0) << stepped.err;
  const auto list = stepped.json()["tokens"];
  ASSERT_EQ(list.size(), 8u);
  std::string tokens;
  for (const auto& token : list) tokens += (tokens.empty() ? "" : ",") + token.dump();
  const Ended whole = decode(folder, {"--tokens", tokens, "--dump", "whole.safetensors", "--json", "-"});
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_EQ(stepped.json()["tokens"], whole.json()["tokens"]);
  EXPECT_EQ(stepped.json()["cache_bytes"], whole.json()["cache_bytes"]);
  for (const char* tensor : {"logits", "attention", "scores_nope", "scores_rope", "cache_latent", "cache_rope"}) {
    SCOPED_TRACE(tensor);
    expect_near(tensor_of(folder.path("stepped.safetensors"), tensor), tensor_of(folder.path("whole.safetensors"), tensor),
                2e-5);
  }
}

TEST(Decode, EveryPathGivesTheSameDump) {
  const Folder folder;
  const std::vector<std::string> paths = {"absorbed", "reexpanded", "expanded", "uncached"};
  for (const std::string& path : paths) {
    const Ended ended = decode(folder, {"--tokens", "9,8,7,6,5", "--attention", path, "--dump", path});
    ASSERT_EQ(ended.code, 0) << ended.err;
    for (const char* tensor : {"logits", "attention", "scores_nope", "scores_rope", "cache_latent", "cache_rope"}) {
      SCOPED_TRACE(path + " " + tensor);
      expect_near(tensor_of(folder.path("absorbed"), tensor), tensor_of(folder.path(path), tensor), 2e-5);
    }
  }
}

TEST(Decode, FeedsVectorsFromAFile) {
  const Folder folder;
  folder.write("x.safetensors", safetensors_of("x", {3, 64}));
  const Ended ended = decode(folder, {"--inputs", "x.safetensors", "--dump", "d.safetensors", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.json()["steps"].size(), 0u);
  EXPECT_EQ(ended.json()["cache_bytes"], 3 * 2 * (24 + 32) * 4);
  EXPECT_EQ(tensor_of(folder.path("d.safetensors"), "outputs").size(), 3u * 64);
}

TEST(Decode, TheTutorialsBlockDecodesVectorsOfItsOwn) {
  const Folder folder;
  const Ended ended = run(folder, {"decode", "--preset", "tutorial", "--hidden-size", "256", "--steps", "4", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.json()["text"], "");
  EXPECT_EQ(ended.json()["steps"].size(), 4u);
  EXPECT_EQ(ended.json()["cache_bytes"], 4 * 4 * 4);
}

TEST(Decode, AgreesWithPyTorchOnACheckpoint) {
  const Folder folder;
  const std::string model = MLA_SOURCE_DIR "/tests/golden/mla-yarn";
  std::ifstream file(model + "/tokens.json");
  std::string tokens = nlohmann::json::parse(file).dump();
  tokens = tokens.substr(1, tokens.size() - 2);
  const Ended ended = run(folder, {"decode", "--model", model, "--tokens", tokens, "--dump", "d.safetensors"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out.find("Random weights"), std::string::npos) << ended.out;
  for (const char* tensor : {"logits", "attention", "scores_nope", "scores_rope", "cache_latent", "cache_rope"}) {
    SCOPED_TRACE(tensor);
    expect_near(tensor_of(model + "/expected.safetensors", tensor), tensor_of(folder.path("d.safetensors"), tensor), 2e-5);
  }
}

TEST(Decode, SaysWhatIsNotReal) {
  const Folder folder;
  const Ended ended = run(folder, {"decode", "--preset", "minicpm3-4b", "--steps", "2"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_NE(ended.out.find("Random weights"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("1 of 62 layers"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("ms/token"), std::string::npos) << ended.out;
}

TEST(Decode, PrintsNoControlBytes) {
  const Folder folder;
  const Ended ended = decode(folder, {"--tokens", "27,91,50,74,7,65", "--steps", "1"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(ended.out.find('\a'), std::string::npos);
  EXPECT_NE(ended.out.find("\\x1b[2J\\x07A"), std::string::npos) << ended.out;
}

TEST(Decode, ABackendThatThisMachineLacksIsNamedInOneLine) {
  const Folder folder;
  const Ended ended = decode(folder, {"--backend", "cuda", "--tokens", "1", "--steps", "1"});
  if (ended.code == 0) GTEST_SKIP() << "there is a GPU";
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("--backend cuda: "), std::string::npos) << ended.err;
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  EXPECT_TRUE(ended.out.empty());
}

TEST(Decode, SyntheticPrefillCountsAsCache) {
  const Folder folder;
  const Ended ended = decode(folder, {"--prefill", "100", "--tokens", "1", "--steps", "1", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.json()["cache_bytes"], 102 * 2 * (24 + 32) * 4);
}

}  // namespace
}  // namespace mla::testing
