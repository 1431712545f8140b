#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/app/program.h"

namespace mla::testing {
namespace {

constexpr const char* kText =
    "Once upon a time there was a king who had three daughters, and the youngest of them was so beautiful that the sun "
    "itself, which has seen so much, was astonished whenever it shone in her face.\n";

TEST(Evaluate, MeasuresEachValueOfAnAxis) {
  const Folder folder;
  folder.write("tale.txt", kText);
  const Ended ended =
      run(folder, {"evaluate", "--text", "tale.txt", "--axis", "kv-lora-rank=2,64", "--axis", "heads=1,6", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  const auto points = nlohmann::json::parse(ended.out)["points"];
  ASSERT_EQ(points.size(), 4u);
  for (const auto& point : points) {
    const int latent = point["kv-lora-rank"];
    EXPECT_EQ(point["cache_bytes_per_token"], (latent + 16) * 4 * 4) << "latent and RoPE key, 4 layers, fp32";
    EXPECT_GT(point["bits_per_byte"], 0.5);
    EXPECT_LT(point["bits_per_byte"], 8);
  }
  EXPECT_GT(points[0]["bits_per_byte"], points[3]["bits_per_byte"]) << "smaller in both is worse";
}

TEST(Evaluate, ADirectoryIsAModelLikeAName) {
  const Folder folder;
  folder.write("tale.txt", kText);
  const auto bits = [&](const std::string& model) {
    const Ended ended = run(folder, {"evaluate", "--model", model, "--text", "tale.txt", "--json", "-"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    return nlohmann::json::parse(ended.out)["points"][0]["bits_per_byte"].get<double>();
  };
  EXPECT_EQ(bits("fairy-tales"), bits(MLA_SOURCE_DIR "/resources/models/fairy-tales"));
}

TEST(Evaluate, AModelWithoutTextIsRefusedByReason) {
  const Folder folder;
  folder.write("tale.txt", kText);
  const Ended ended = run(folder, {"evaluate", "--model", MLA_SOURCE_DIR "/tests/golden/mla-plain", "--text", "tale.txt"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("tokenizer.json"), std::string::npos) << ended.err;
}

TEST(Models, ListsTheBundledOnes) {
  const Folder folder;
  const Ended ended = run(folder, {"models"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_TRUE(ended.out.starts_with("fairy-tales: MLA, elastic")) << ended.out;
}

TEST(Decode, ContinuesAPromptInWords) {
  const Folder folder;
  const Ended ended = run(folder, {"decode", "--prompt", "Once upon a time", "--steps", "12", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto document = nlohmann::json::parse(ended.out);
  const std::string text = document["text"];
  EXPECT_NE(text.find("Once upon a time"), std::string::npos) << text;
  EXPECT_EQ(document["steps"].size(), 12u);
  const Ended again = run(folder, {"decode", "--prompt", "Once upon a time", "--steps", "12", "--json", "-"});
  EXPECT_EQ(nlohmann::json::parse(again.out)["tokens"], document["tokens"]) << "greedy";
}

}  // namespace
}  // namespace mla::testing
