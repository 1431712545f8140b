#include <gtest/gtest.h>

#include <sstream>

#include "tests/app/program.h"

namespace mla::testing {
namespace {

/// The lines of a CSV without quoted fields.
std::vector<std::vector<std::string>> lines_of(const std::string& csv) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream text(csv);
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    std::vector<std::string>& fields = lines.emplace_back();
    std::istringstream rest(line);
    for (std::string field; std::getline(rest, field, ',');) fields.push_back(field);
  }
  return lines;
}

TEST(Sweep, MeasuresTheTutorialsExperiment) {
  const Folder folder;
  const Ended ended = run(folder, {"sweep", "--preset", "tutorial", "--hidden-size", "256", "--axis",
                                   "kv-lora-rank=2,4,8,16,32", "--tokens", "10", "--out", "deep/charts"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.err, "");
  const auto lines = lines_of(folder.read("deep/charts/sweep.csv"));
  ASSERT_EQ(lines.size(), 1u + 5 * 10);
  EXPECT_EQ(lines[0], (std::vector<std::string>{"kv-lora-rank", "tokens", "cache_values", "cache_bytes", "ms", "seconds"}));
  for (int point = 0; point < 5; ++point) {
    for (int token = 1; token <= 10; ++token) {
      const auto& line = lines[std::size_t(point * 10 + token)];
      const int latent = 2 << point;
      EXPECT_EQ(line[0], std::to_string(latent));
      EXPECT_EQ(line[1], std::to_string(token));
      EXPECT_EQ(line[2], std::to_string(token * latent));
      EXPECT_EQ(line[3], std::to_string(token * latent * 4));
      EXPECT_GT(std::stod(line[4]), 0);
      EXPECT_NEAR(std::stod(line[5]) * 1000, std::stod(line[4]), 1e-9);
    }
  }
  const auto document = nlohmann::json::parse(folder.read("deep/charts/sweep.json"));
  ASSERT_EQ(document["points"].size(), 5u);
  EXPECT_EQ(document["points"][2]["kv-lora-rank"], 8);
  EXPECT_EQ(document["points"][2]["steps"].size(), 10u);
  EXPECT_EQ(document["experiment"]["preset"], "tutorial");
#ifdef MLA_WINDOW
  for (const std::string chart : {"cache", "latency"}) {
    EXPECT_TRUE(folder.read("deep/charts/" + chart + ".png").starts_with("\x89PNG")) << chart;
    EXPECT_TRUE(folder.read("deep/charts/" + chart + ".pdf").starts_with("%PDF")) << chart;
    const std::string svg = folder.read("deep/charts/" + chart + ".svg");
    for (const char* text : {"kv-lora-rank 2<", "kv-lora-rank 32<", "1,\u00a011,\u00a0…\u00a091."})
      EXPECT_NE(svg.find(text), std::string::npos) << chart << ' ' << text;
  }
#else
  EXPECT_NE(ended.out.find("charts need a build with the window"), std::string::npos) << ended.out;
#endif
}

TEST(Sweep, CombinesAxes) {
  const Folder folder;
  const Ended ended = run(folder, {"sweep", "--hidden-size", "64", "--axis", "variant=mla,mqa", "--axis",
                                   "cache-dtype=fp32,bf16", "--tokens", "2", "--out", "s"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto lines = lines_of(folder.read("s/sweep.csv"));
  ASSERT_EQ(lines.size(), 1u + 4 * 2);
  EXPECT_EQ(lines[0][0], "variant");
  EXPECT_EQ(lines[0][1], "cache-dtype");
  const std::vector<std::pair<std::string, std::string>> order = {
      {"mla", "fp32"}, {"mla", "bf16"}, {"mqa", "fp32"}, {"mqa", "bf16"}};
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(lines[1 + 2 * i][0], order[i].first);
    EXPECT_EQ(lines[1 + 2 * i][1], order[i].second);
    EXPECT_EQ(std::stoll(lines[1 + 2 * i][4]), std::stoll(lines[1 + 2 * i][3]) * (order[i].second == "fp32" ? 4 : 2));
  }
}

}  // namespace
}  // namespace mla::testing
