#include <gtest/gtest.h>

#include "tests/app/program.h"

namespace mla::testing {
namespace {

TEST(Bench, JsonHoldsTheFixedKeys) {
  const Folder folder;
  const Ended ended = run(folder, {"bench", "--suite", "block", "--json", "-"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  const auto document = ended.json();
  const auto& machine = document["machine"];
  EXPECT_GT(machine["read_gb_s"], 0);
  EXPECT_GT(machine["fp32_gflop_s"], 0);
  EXPECT_GE(machine["threads"], 1);
  for (const char* rate : {"bf16_gflop_s", "int8_gop_s"}) EXPECT_TRUE(machine[rate].is_null() || machine[rate] > 0) << rate;
  ASSERT_GE(document["workloads"].size(), 1u);
  for (const auto& row : document["workloads"]) {
    EXPECT_FALSE(row["name"].get<std::string>().empty());
    EXPECT_GT(row["bytes"], 0);
    EXPECT_GT(row["flop"], 0);
    EXPECT_NEAR(row["fraction_of_roofline"].get<double>(), row["roofline_ms"].get<double>() / row["median_ms"].get<double>(),
                1e-6);
  }
}

}  // namespace
}  // namespace mla::testing
