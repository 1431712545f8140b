#include "core/io/csv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mla {
namespace {

TEST(Csv, QuotesOnlyWhereItMust) {
  const std::vector<std::string> columns{"plain", "with, comma", "\"quoted\""};
  const std::vector<std::vector<std::string>> rows{{"1", "a b", ""}, {"line\nbreak", "c\r", "semi;colon"}};
  EXPECT_EQ(to_csv(columns, rows),
            "plain,\"with, comma\",\"\"\"quoted\"\"\"\r\n"
            "1,a b,\r\n"
            "\"line\nbreak\",\"c\r\",semi;colon\r\n");
}

TEST(Csv, WritesAHeaderWithoutRows) {
  const std::vector<std::string> columns{"a", "b"};
  EXPECT_EQ(to_csv(columns, {}), "a,b\r\n");
}

TEST(Csv, NumbersReadBackExactly) {
  for (const double value : {0.1, 1.0 / 3, -2.5e-300, 1e21, 31104.0, std::nextafter(1.0, 2.0)}) {
    EXPECT_EQ(std::stod(csv_number(value)), value) << csv_number(value);
  }
  EXPECT_EQ(csv_number(0.1), "0.1");
  EXPECT_EQ(csv_number(31104), "31104");
  EXPECT_EQ(csv_number(std::numeric_limits<double>::quiet_NaN()), "");
}

}  // namespace
}  // namespace mla
