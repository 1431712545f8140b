// Broken tokenizer files are refused, and the message names the place.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/model/tokenizer.h"

namespace mla {
namespace {

using nlohmann::json;

/// A small file that opens.
json good() {
  return json::parse(R"~({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [{"id": 3, "content": "<s>", "special": true}],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "pre_tokenizer": null,
    "post_processor": {"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
      "special_tokens": {"<s>": {"id": "<s>", "ids": [3], "tokens": ["<s>"]}}},
    "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
      {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "model": {"type": "BPE", "dropout": null, "unk_token": "a", "fuse_unk": false, "byte_fallback": false,
      "vocab": {"a": 0, "b": 1, "ab": 2, "▁": 4}, "merges": ["a b"]}})~");
}

struct Broken {
  const char* name;
  const char* place;   // JSON pointer
  const char* value;   // JSON; "" removes the place
  const char* reason;  // part of the message
};

void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

class BrokenTokenizer : public testing::TestWithParam<Broken> {};

TEST_P(BrokenTokenizer, IsRefusedByName) {
  json file = good();
  ASSERT_TRUE(Tokenizer::from_json(file.dump(), "t.json"));
  const json::json_pointer place(GetParam().place);
  if (*GetParam().value == '\0') {
    file[place.parent_pointer()].erase(place.back());
  } else {
    file[place] = json::parse(GetParam().value);
  }
  const Result<Tokenizer> tokenizer = Tokenizer::from_json(file.dump(), "t.json");
  ASSERT_FALSE(tokenizer);
  const std::string& message = tokenizer.error().message;
  EXPECT_TRUE(message.starts_with("t.json: ")) << message;
  EXPECT_NE(message.find(GetParam().reason), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

const Broken broken[]{
    {"no_model", "/model", "", "model is missing"},
    {"model_is_text", "/model", "\"BPE\"", "model is \"BPE\"; it must be an object"},
    {"unigram", "/model/type", "\"Unigram\"", "type is \"Unigram\"; only BPE"},
    {"no_vocab", "/model/vocab", "", "vocab is missing"},
    {"vocab_is_a_list", "/model/vocab", "[\"a\"]", "vocab is [\"a\"]; it must be an object"},
    {"negative_id", "/model/vocab/b", "-1", "\"b\" the id -1"},
    {"huge_id", "/model/vocab/b", "4294967296", "\"b\" the id 4294967296"},
    {"id_is_text", "/model/vocab/b", "\"1\"", "\"b\" the id \"1\""},
    {"id_repeats", "/model/vocab/b", "0", "\"a\" and \"b\" the id 0"},
    {"no_merges", "/model/merges", "", "merges is missing"},
    {"merges_are_text", "/model/merges", "\"a b\"", "merges must be a list"},
    {"merge_of_one", "/model/merges", "[\"ab\"]", "merge 0 is \"ab\"; it must be two tokens"},
    {"merge_of_three", "/model/merges", "[\"a b a\"]", "it must be two tokens"},
    {"merge_of_numbers", "/model/merges", "[[1, 2]]", "merge 0 is [1,2]"},
    {"merge_of_unknown", "/model/merges", "[[\"a\", \"z\"]]", "needs \"z\", which the vocabulary lacks"},
    {"merge_to_unknown", "/model/merges", "[[\"b\", \"a\"]]", "needs \"ba\", which the vocabulary lacks"},
    {"dropout", "/model/dropout", "0.1", "dropout is 0.1; it must be absent or 0"},
    {"suffix", "/model/end_of_word_suffix", "\"</w>\"", "end_of_word_suffix is \"</w>\""},
    {"unknown_unk", "/model/unk_token", "\"?\"", "unk_token is \"?\"; it must be a token"},
    {"flag_is_a_number", "/model/fuse_unk", "1", "fuse_unk is 1; it must be true or false"},
    {"truncation", "/truncation", "{\"max_length\": 5}", "truncation is"},
    {"normalizer", "/normalizer", "{\"type\": \"NFKC\"}", "normalizer: type is \"NFKC\"; known are"},
    {"nested_normalizer", "/normalizer/normalizers/1", "{\"type\": \"Lowercase\"}", "normalizer.normalizers[1]: type is"},
    {"pre_tokenizer", "/pre_tokenizer", "{\"type\": \"Bert\"}", "pre_tokenizer: type is \"Bert\"; known are"},
    {"split_without_pattern", "/pre_tokenizer", "{\"type\": \"Split\", \"behavior\": \"Isolated\"}", "pattern is missing"},
    {"unknown_behavior", "/pre_tokenizer", R"({"type": "Split", "behavior": "Odd", "pattern": {"String": "a"}})",
     "behavior is \"Odd\"; known are"},
    {"no_decoder", "/decoder", "", "decoder is missing"},
    {"decoder", "/decoder", "{\"type\": \"WordPiece\"}", "decoder: type is \"WordPiece\"; known are"},
    {"decoder_of_bytes", "/decoder", "{\"type\": \"ByteLevel\"}", "ByteLevel must be in both"},
    {"strip_before_fuse", "/decoder/decoders/1", "{\"type\": \"Strip\", \"content\": \" \"}", "it must come after Fuse"},
    {"added_without_id", "/added_tokens/0/id", "", "added_tokens[0]: id is missing"},
    {"added_with_anothers_id", "/added_tokens/0/id", "1", "added_tokens[0]: id is 1; it belongs to \"b\""},
    {"added_with_a_huge_id", "/added_tokens/0/id", "16777215", "added_tokens[0]: id is 16777215; it must be below"},
    {"added_is_empty", "/added_tokens/0/content", "\"\"", "added_tokens[0]: content is \"\"; it must not be empty"},
    {"added_twice", "/added_tokens/1", "{\"id\": 5, \"content\": \"<s>\"}", "added_tokens[1]: content is \"<s>\"; another"},
    {"added_is_text", "/added_tokens/0", "\"<s>\"", "added_tokens[0]: not an object"},
    {"post_processor", "/post_processor/type", "\"Bert\"", "post_processor: type is \"Bert\"; known are"},
    {"template_without_text", "/post_processor/single", "[]", "single lacks the Sequence A"},
    {"template_of_pairs", "/post_processor/single/1/Sequence/id", "\"B\"", "single has the part"},
    {"template_of_unknown", "/post_processor/special_tokens", "{}", "special_tokens lacks \"<s>\""},
    {"template_id", "/post_processor/special_tokens/<s>/ids/0", "99", "ids holds 99; it must be the id of a token"},
};

INSTANTIATE_TEST_SUITE_P(All, BrokenTokenizer, testing::ValuesIn(broken),
                         [](const auto& case_info) { return std::string(case_info.param.name); });

std::string refusal(const std::string& text) {
  const Result<Tokenizer> tokenizer = Tokenizer::from_json(text, "t.json");
  return tokenizer ? "" : tokenizer.error().message;
}

TEST(BrokenTokenizerText, IsRefused) {
  EXPECT_EQ(refusal(""), "t.json: not valid JSON at byte 1");
  EXPECT_EQ(refusal("{\"model\": "), "t.json: not valid JSON at byte 11");
  EXPECT_EQ(refusal("[]"), "t.json: not a JSON object");
  EXPECT_EQ(refusal("{\"a\": 1, \"a\": 2}"), "t.json: names \"a\" twice");
  EXPECT_EQ(refusal(std::string(100'000, '[')).substr(0, 22), "t.json: not valid JSON");
  EXPECT_EQ(refusal(std::string(100'000, '[') + std::string(100'000, ']')), "t.json: nested deeper than 64 levels");
}

std::string refused_expression(const std::string& expression) {
  json file = good();
  file["pre_tokenizer"] = {{"type", "Split"}, {"behavior", "Isolated"}, {"pattern", {{"Regex", expression}}}};
  return refusal(file.dump());
}

TEST(BrokenTokenizerText, ExpressionsThatPcreReadsDifferentlyAreRefused) {
  const std::pair<const char*, const char*> cases[]{
      {"\\h", "the escape \\h"},
      {"a\\b", "the escape \\b"},
      {"[a[b]]", "a class within a class"},
      {"[a&&b]", "an intersection"},
      {"a{1,2}+", "a quantifier behind"},
      {"(?i)a", "a group or option"},
      {"(?i:ss)", "may also match"},
      {"(*FAIL)", "a verb"},
      {"a{,3}", "an interval {,n}"},
      {"[[:alpha:]]", "a class within"},
      {"\\p{^}", "a property"},
      {"\\pL", "a property without braces"},
      {"a\\", "nothing behind it"},
      {"\\x{110000", "incomplete"},
      {"(?<n>a)", "a group or option"},
  };
  for (const auto& [expression, reason] : cases) {
    const std::string message = refused_expression(expression);
    EXPECT_NE(message.find(reason), std::string::npos) << expression << ": " << message;
  }
#ifdef MLA_HAVE_PCRE2
  EXPECT_NE(refused_expression("(a").find("does not compile: missing closing parenthesis"), std::string::npos);
  EXPECT_EQ(refused_expression("\\s+(?!\\S)|[^\\s\\p{L}\\u0041]?+\\w{1,3}"), "");
#else
  EXPECT_NE(refused_expression("a+").find("built without PCRE2"), std::string::npos);
#endif
}

}  // namespace
}  // namespace mla
