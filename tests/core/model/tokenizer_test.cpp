// The tokenizer against Hugging Face's: tests/golden/make_tokenizer_goldens.py wrote the files, the texts and the ids.

#include "core/model/tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <random>

#include "core/io/file.h"

namespace mla {
namespace {

using nlohmann::json;

const std::string folder = std::string(MLA_SOURCE_DIR) + "/tests/golden/tokenizer/";

json read_golden(const std::string& name) { return json::parse(*read_file(folder + name)); }

Tokenizer open_golden(const std::string& kind) {
  const Result<Tokenizer> tokenizer = Tokenizer::open(folder + kind);
  if (!tokenizer) throw std::runtime_error(tokenizer.error().message);
  return *tokenizer;
}

std::string round_trip(const Tokenizer& tokenizer, std::string_view text) {
  const Result<std::vector<int>> ids = tokenizer.encode(text, false);
  return ids ? tokenizer.decode(*ids) : ids.error().message;
}

/// Kinds whose expressions need PCRE2 are skipped without it.
class TokenizerGolden : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
#ifndef MLA_HAVE_PCRE2
    if (GetParam().find("llama-2") != 0) GTEST_SKIP() << "built without PCRE2";
#endif
  }
};

TEST_P(TokenizerGolden, GivesTheSameIds) {
  const Tokenizer tokenizer = open_golden(GetParam());
  const json texts = read_golden("texts.json"), expected = read_golden(GetParam() + "/expected.json");
  ASSERT_GE(texts.size(), 300u);
  ASSERT_EQ(texts.size(), expected["ids"].size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ids = tokenizer.encode(texts[i].get<std::string>(), false);
    ASSERT_TRUE(ids) << ids.error().message;
    EXPECT_EQ(*ids, expected["ids"][i].get<std::vector<int>>()) << texts[i];
  }
  for (std::size_t i = 0; i < expected["special"].size(); ++i) {
    const auto ids = tokenizer.encode(texts[i].get<std::string>(), true);
    ASSERT_TRUE(ids) << ids.error().message;
    EXPECT_EQ(*ids, expected["special"][i].get<std::vector<int>>()) << texts[i];
  }
}

TEST_P(TokenizerGolden, GivesBackEveryByte) {
  if (GetParam() == "gpt-2") GTEST_SKIP() << "its tokens cannot tell the space that it puts in front";
  const Tokenizer tokenizer = open_golden(GetParam());
  const bool metaspace = GetParam().starts_with("llama-2");
  std::mt19937 random(5);
  json texts = read_golden("texts.json");
  int compared = 0;
  for (const json& value : texts) {
    auto text = value.get<std::string>();
    // What Llama 2's own rules lose: a mark is a space afterwards, "first" knows no space in front, text behind an added
    // token gets one.
    if (metaspace && (text.find("▁") != std::string::npos || text.starts_with(' ') || text.find('<') != std::string::npos)) {
      continue;
    }
    EXPECT_EQ(round_trip(tokenizer, text), text);
    for (int i = 0; i < 3 && !text.empty(); ++i) {  // no longer UTF-8
      text[random() % text.size()] = static_cast<char>(0x80 + random() % 128);
    }
    if (text.find("▁") == std::string::npos) {
      EXPECT_EQ(round_trip(tokenizer, text), text);
      ++compared;
    }
  }
  EXPECT_GE(compared, 200);
}

TEST_P(TokenizerGolden, TakesAnyBytes) {
  if (GetParam() == "gpt-2") GTEST_SKIP() << "its tokens cannot tell the space that it puts in front";
  const Tokenizer tokenizer = open_golden(GetParam());
  std::string all;
  for (int byte = 255; byte >= 0; --byte) all += static_cast<char>(byte);
  EXPECT_EQ(round_trip(tokenizer, all), all);
  EXPECT_EQ(round_trip(tokenizer, "ab\xffgh \xc3(\xe2\x82"), "ab\xffgh \xc3(\xe2\x82");
}

TEST_P(TokenizerGolden, LongWordsTakeNoMoreThanALittleLonger) {
  const Tokenizer tokenizer = open_golden(GetParam());
  for (const std::string unit : {"a", "the", " ", "é", "1", "\n"}) {
    std::string text;
    while (text.size() < 200'000) text += unit;
    const auto start = std::chrono::steady_clock::now();
    const auto ids = tokenizer.encode(text, false);
    ASSERT_TRUE(ids) << ids.error().message;
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    EXPECT_LT(seconds.count(), 10) << unit;  // a quadratic merge takes minutes
  }
}

TEST_P(TokenizerGolden, NamesItsTokens) {
  const Tokenizer tokenizer = open_golden(GetParam());
  const json file = json::parse(*read_file(folder + GetParam() + "/tokenizer.json"));
  int largest = 0;
  for (const auto& [token, id] : file["model"]["vocab"].items()) largest = std::max(largest, id.get<int>());
  for (const json& token : file["added_tokens"]) {
    largest = std::max(largest, token["id"].get<int>());
    EXPECT_EQ(tokenizer.piece(token["id"]), token["content"].get<std::string>());
    EXPECT_EQ(tokenizer.is_special(token["id"]), token["special"].get<bool>());
  }
  EXPECT_EQ(tokenizer.vocab_size(), largest + 1);
  EXPECT_EQ(tokenizer.piece(-1), "");
  EXPECT_EQ(tokenizer.piece(largest + 1), "");
  EXPECT_FALSE(tokenizer.is_special(largest + 1));
}

std::string kind_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerGolden,
                         testing::Values("deepseek-v3", "deepseek-v2", "llama-3", "gpt-2", "llama-2", "llama-2-first"),
                         kind_name);

TEST(Tokenizer, KnowsItsBeginning) {
  const Tokenizer llama = open_golden("llama-2");
  ASSERT_TRUE(llama.begin_token());
  EXPECT_EQ(llama.piece(*llama.begin_token()), "<s>");
#ifdef MLA_HAVE_PCRE2
  EXPECT_EQ(open_golden("deepseek-v3").begin_token(), std::nullopt);
#endif
}

TEST(Tokenizer, NeedsItsFile) {
  const Result<Tokenizer> tokenizer = Tokenizer::open(folder);
  ASSERT_FALSE(tokenizer);
  EXPECT_NE(tokenizer.error().message.find("tokenizer.json: cannot open"), std::string::npos) << tokenizer.error().message;
}

}  // namespace
}  // namespace mla
