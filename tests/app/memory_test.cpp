#include <gtest/gtest.h>

#include "tests/app/program.h"

namespace mla::testing {
namespace {

TEST(Memory, ListsTheOwnVariantFirstUnderTheFixedKeys) {
  const Folder folder;
  const Ended ended =
      run(folder, {"memory", "--preset", "deepseek-v3", "--cache-dtype", "bf16", "--context", "1000", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto variants = ended.json()["variants"];
  ASSERT_GE(variants.size(), 4u);
  EXPECT_EQ(variants[0]["variant"], "mla");
  EXPECT_EQ(variants[0]["attention"], "absorbed");
  EXPECT_EQ(variants[0]["bytes_per_token"], 70272);
  EXPECT_EQ(variants[0]["total_bytes"], 70272000);
  for (const auto& line : variants) EXPECT_FALSE(line["label"].get<std::string>().empty());
}

/// One experiment, as memory predicts and as decode holds it.
class MemoryEqualsDecode : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(MemoryEqualsDecode, BytesPerTokenTimesTokens) {
  const Folder folder;
  std::vector<std::string> memory = {"memory"}, decode = {"decode", "--steps", "9"};
  for (auto* arguments : {&memory, &decode}) {
    arguments->insert(arguments->end(), GetParam().begin(), GetParam().end());
    arguments->insert(arguments->end(), {"--hidden-size", "64", "--json", "-"});
  }
  const auto own = run(folder, memory).json()["variants"][0];
  const Ended decoded = run(folder, decode);
  ASSERT_EQ(decoded.code, 0) << decoded.err;
  const auto document = decoded.json();
  const std::int64_t tokens = document["tokens"].empty() ? 9 : std::int64_t(document["tokens"].size());
  EXPECT_EQ(document["cache_bytes"], own["bytes_per_token"].get<std::int64_t>() * tokens);
}

INSTANTIATE_TEST_SUITE_P(All, MemoryEqualsDecode,
                         ::testing::Values(std::vector<std::string>{}, std::vector<std::string>{"--attention", "expanded"},
                                           std::vector<std::string>{"--attention", "reexpanded", "--cache-dtype", "fp16"},
                                           std::vector<std::string>{"--attention", "uncached"},
                                           std::vector<std::string>{"--variant", "mha"},
                                           std::vector<std::string>{"--variant", "gqa", "--cache-dtype", "bf16"},
                                           std::vector<std::string>{"--variant", "mqa", "--layers", "3"},
                                           std::vector<std::string>{"--preset", "tutorial", "--heads", "8"}));

TEST(Memory, SavedExperimentsAndOptionsMeanTheSame) {
  const Folder folder;
  folder.write("e.mla.json",
               R"({"format": "mla-explorer experiment", "version": 1, "preset": "deepseek-v2", "cache-dtype": "bf16"})");
  const Ended file = run(folder, {"memory", "--experiment", "e.mla.json", "--json", "-"});
  const Ended options = run(folder, {"memory", "--cache-dtype", "bf16", "--preset", "deepseek-v2", "--json", "-"});
  ASSERT_EQ(file.code, 0) << file.err;
  EXPECT_EQ(file.out, options.out);
}

TEST(Memory, WritesTheSameJsonToAFile) {
  const Folder folder;
  const Ended printed = run(folder, {"memory", "--json", "-"});
  const Ended written = run(folder, {"memory", "--json", "m.json"});
  ASSERT_EQ(written.code, 0) << written.err;
  EXPECT_EQ(written.out, "");
  EXPECT_EQ(folder.read("m.json"), printed.out);
}

TEST(Memory, TableNamesTheBaselineOfItsRatios) {
  const Folder folder;
  const Ended ended = run(folder, {"memory", "--preset", "deepseek-v2", "--cache-dtype", "bf16"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_NE(ended.out.find("against MLA latent"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("56.9x"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("71.1x"), std::string::npos) << ended.out;
}

}  // namespace
}  // namespace mla::testing
