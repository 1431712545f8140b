#include "core/spec/text.h"

#include <gtest/gtest.h>

namespace mla {
namespace {

TEST(Text, NumbersAreWholeTexts) {
  EXPECT_EQ(parse_number<int>("12"), 12);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), 18446744073709551615ull);
  for (const char* bad : {"", " 1", "1 ", "+1", "1.0", "1e9", "12x", "x", "99999999999", "0x10"}) {
    EXPECT_FALSE(parse_number<int>(bad)) << bad;
  }
  EXPECT_FALSE(parse_number<std::uint64_t>("-5"));
  EXPECT_FALSE(parse_number<std::uint64_t>("18446744073709551616"));
  EXPECT_EQ(parse_number<double>("0.7"), 0.7);
  for (const char* bad : {"", "inf", "nan", "-inf", "1e999", "0,5"}) EXPECT_FALSE(parse_number<double>(bad)) << bad;
}

TEST(Text, ShortestDoublesReadBack) {
  for (const double value : {0.0, 0.1, 1.0, 1e-6, 0.707, 1.0 / 3}) EXPECT_EQ(parse_number<double>(shortest(value)), value);
  EXPECT_EQ(shortest(0.7), "0.7");
}

TEST(Text, PrintableStaysOnOneShortLine) {
  EXPECT_EQ(printable(""), "''");
  EXPECT_EQ(printable("a\nb\x01"), "a\\nb\\x01");
  EXPECT_EQ(printable("Köln"), "Köln");
  EXPECT_LT(printable(std::string(1000, 'x')).size(), 100u);
  EXPECT_EQ(printable("a\xff"), "a\\xff");
  EXPECT_FALSE(invalid_utf8(printable(std::string(79, 'x') + "ä")));
  EXPECT_EQ(printable(std::string(80, 'x')), std::string(80, 'x'));
}

TEST(Text, FindsWhereUtf8Ends) {
  EXPECT_FALSE(invalid_utf8("König – 王 🙂"));
  EXPECT_EQ(invalid_utf8("ab\xff"), 2u);
  EXPECT_EQ(invalid_utf8("a\xc3"), 1u);             // cut
  EXPECT_EQ(invalid_utf8("\xc0\x80"), 0u);          // overlong
  EXPECT_EQ(invalid_utf8("\xed\xa0\x80"), 0u);      // surrogate
  EXPECT_EQ(invalid_utf8("\xf4\x90\x80\x80"), 0u);  // beyond Unicode
}

}  // namespace
}  // namespace mla
