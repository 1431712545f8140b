#include "core/io/strict_json.h"

#include <gtest/gtest.h>

#include "core/io/safetensors_header.h"
#include "core/model/checkpoint_config.h"

namespace mla {
namespace {

std::string nested(int levels) { return std::string(std::size_t(levels), '[') + std::string(std::size_t(levels), ']'); }

TEST(StrictJson, TakesNestingUpToItsLimit) {
  EXPECT_TRUE(parse_strict_json("f", nested(max_json_depth), "the text"));
  const auto deeper = parse_strict_json("f", nested(max_json_depth + 1), "the text");
  ASSERT_FALSE(deeper);
  EXPECT_EQ(deeper.error().message, "f: the text is nested deeper than 64 levels");
}

TEST(StrictJson, RefusesAKeyThatRepeats) {
  EXPECT_TRUE(parse_strict_json("f", R"({"a": {"b": 1}, "b": [{"a": 1}, {"a": 2}]})", "the text"));
  const auto twice = parse_strict_json("f", R"([{"a": {"b": 1, "b": 2}}])", "the text");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message, "f: the text names \"b\" twice");
}

// A value that a message shows is walked by recursion: a million levels overflowed the stack.
TEST(StrictJson, LoadersRefuseDeepNesting) {
  const std::string deep = nested(1'000'000);
  const auto header = parse_header("f", R"({"x":{"dtype":"F32","data_offsets":[0,4],"shape":)" + deep + "}}", 4);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().message, "f: the header is nested deeper than 64 levels");
  const auto config = parse_checkpoint_config(R"({"model_type": "toy-mla", "hidden_size": )" + deep + "}", "f");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message, "f: nested deeper than 64 levels");
}

TEST(StrictJson, MessagesStayShort) {
  const auto config = parse_checkpoint_config(R"({"model_type": ")" + std::string(1'000'000, 'x') + "\"}", "f");
  ASSERT_FALSE(config);
  EXPECT_LT(config.error().message.size(), 300u);
}

}  // namespace
}  // namespace mla
