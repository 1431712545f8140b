#ifdef MLA_WINDOW

#include <gtest/gtest.h>

#include <QImage>
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "core/spec/saved_experiment.h"
#include "tests/app/program.h"

namespace mla::testing {
namespace {

/// The names that `views` lists.
std::vector<std::string> views(const Folder& folder) {
  std::vector<std::string> names;
  std::istringstream lines(run(folder, {"views"}).out);
  for (std::string line; std::getline(lines, line);) names.push_back(line.substr(0, line.find('\t')));
  return names;
}

Ended render(const Folder& folder, const std::string& view, const std::string& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"render", "--view",         view, "--out",   out, "--steps",   "6",  "--hidden-size",
                                        "64",     "--kv-lora-rank", "16", "--heads", "3", "--context", "128"};
  if (view == "compare") arguments.insert(arguments.end(), {"--against", "kv-lora-rank=4,cache-dtype=bf16"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(folder, arguments);
}

/// How many different colours a picture has; one means that nothing is drawn.
std::size_t colors(const QImage& image) {
  std::set<QRgb> seen;
  for (int y = 0; y < image.height(); y += 2) {
    for (int x = 0; x < image.width(); x += 2) seen.insert(image.pixel(x, y));
  }
  return seen.size();
}

double lightness(const QImage& image) {
  double sum = 0;
  for (int y = 0; y < image.height(); y += 4) {
    for (int x = 0; x < image.width(); x += 4) sum += qGray(image.pixel(x, y));
  }
  return sum / ((image.height() + 3) / 4 * ((image.width() + 3) / 4));
}

TEST(Render, ViewsListsTheWindowAndEveryView) {
  const Folder folder;
  const std::vector<std::string> names = views(folder);
  const std::set<std::string> known(names.begin(), names.end());
  for (const char* name :
       {"window", "attention", "compare", "coupled", "crossover", "heads", "memory", "latency", "rank", "stages", "tokens"})
    EXPECT_TRUE(known.count(name)) << name;
  EXPECT_EQ(known.size(), names.size());
}

TEST(Render, DrawsEveryViewLightAndDarkAtTheSizeAsked) {
  const Folder folder;
  for (const std::string& view : views(folder)) {
    SCOPED_TRACE(view);
    const QSize size = view == "window" ? QSize(1280, 800) : QSize(640, 400);
    const std::string asked = std::to_string(size.width()) + "x" + std::to_string(size.height());
    for (const std::string theme : {"light", "dark"}) {
      const Ended ended = render(folder, view, view + theme + ".png", {"--size", asked, "--theme", theme});
      ASSERT_EQ(ended.code, 0) << ended.err;
      EXPECT_EQ(ended.out + ended.err, "");
    }
    const QImage light(QString::fromStdString(folder.path(view + "light.png"))),
        dark(QString::fromStdString(folder.path(view + "dark.png")));
    EXPECT_EQ(light.size(), size);
    EXPECT_EQ(dark.size(), size);
    EXPECT_GT(colors(light), 8u);
    EXPECT_GT(colors(dark), 8u);
    EXPECT_GT(lightness(light), lightness(dark) + 60);
  }
}

TEST(Render, WritesVectorsAndTables) {
  const Folder folder;
  for (const std::string& view : views(folder)) {
    SCOPED_TRACE(view);
    for (const std::string format : {"svg", "pdf", "csv"}) {
      if (view == "window" && format == "csv") continue;
      const Ended ended = render(folder, view, view + '.' + format);
      ASSERT_EQ(ended.code, 0) << ended.err;
    }
    EXPECT_NE(folder.read(view + ".svg").find("</svg>"), std::string::npos);
    EXPECT_TRUE(folder.read(view + ".pdf").starts_with("%PDF"));
  }
}

TEST(Render, TheMemoryTableHoldsTheBytesThatDecodeReports) {
  const Folder folder;
  ASSERT_EQ(render(folder, "memory", "m.csv").code, 0);
  const Ended decoded =
      run(folder, {"decode", "--steps", "6", "--hidden-size", "64", "--kv-lora-rank", "16", "--heads", "3", "--json", "-"});
  const std::string bytes = decoded.json()["cache_bytes"].dump();
  EXPECT_NE(folder.read("m.csv").find(bytes), std::string::npos) << bytes << " in\n" << folder.read("m.csv");
}

TEST(Render, TheRankTableEndsAtNothingLost) {
  const Folder folder;
  const Ended ended = render(folder, "rank", "rank.csv");
  ASSERT_EQ(ended.code, 0) << ended.err;
  std::istringstream lines(folder.read("rank.csv"));
  std::string header, first;
  std::getline(lines, header);
  std::getline(lines, first);
  EXPECT_TRUE(header.starts_with("rank,bytes_per_token,kl_bits,")) << header;
  EXPECT_TRUE(first.starts_with("16,384,")) << first << ": 2 layers of 16 + 32 fp32 values";
  EXPECT_LT(std::stod(first.substr(7)), 1e-6) << first;
}

/// The fields of the line of a CSV that begins so; none where there is no such line.
std::vector<std::string> csv_line(const std::string& csv, const std::string& begin) {
  std::istringstream lines(csv);
  std::vector<std::string> fields;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(begin)) continue;
    std::istringstream cells(line.substr(0, line.find('\r')));
    for (std::string cell; std::getline(cells, cell, ',');) fields.push_back(cell);
    return fields;
  }
  return fields;
}

TEST(Render, ComparesWithASavedExperimentOrWithChangedSettings) {
  const Folder folder;
  ASSERT_EQ(render(folder, "compare", "settings.csv").code, 0);
  const std::string settings = folder.read("settings.csv");
  // 6 decoded tokens and the one chosen last after a prompt of 33 bytes, 2 layers: 16 + 32 fp32 values, 4 + 32 bf16 ones.
  EXPECT_EQ(csv_line(settings, "cache_bytes,,"),
            (std::vector<std::string>{"cache_bytes", "", "", "", "", "5760", "15360", "9600", "2.6666666666666665"}));
  const std::vector<std::string> bits = csv_line(settings, "bits_per_byte,");
  ASSERT_GE(bits.size(), 5u);
  EXPECT_EQ(bits[5], "") << "random weights predict nothing";
  EXPECT_EQ(csv_line(settings, "weight,0,0,").at(7), "0") << "a token alone attends to itself";

  Experiment other = *apply_all(default_experiment(),
                                {{"hidden-size", "64"}, {"kv-lora-rank", "4"}, {"heads", "3"}, {"cache-dtype", "bf16"}});
  folder.write("other.mla.json", to_json(other));
  const Ended ended = run(folder, {"render", "--view", "compare", "--out", "file.csv", "--steps", "6", "--hidden-size", "64",
                                   "--kv-lora-rank", "16", "--heads", "3", "--against", "other.mla.json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const std::string file = folder.read("file.csv");
  EXPECT_EQ(csv_line(file, "largest_weight_difference"), csv_line(settings, "largest_weight_difference"));
  EXPECT_EQ(csv_line(file, "cache_bytes"), csv_line(settings, "cache_bytes"));
}

TEST(Render, ASavedExperimentBringsItsPinnedRunAndWhatWasChosenInTheViews) {
  const Folder folder;
  SavedExperiment saved{
      *apply_all(default_experiment(), {{"hidden-size", "64"}, {"kv-lora-rank", "16"}, {"heads", "3"}}), {}, {}};
  saved.pinned.push_back(*apply(saved.experiment, {"kv-lora-rank", "4"}));
  const auto draw = [&](const std::string& view, const std::string& out) {
    folder.write("saved.mla.json", to_json(saved));
    return run(folder, {"render", "--experiment", "saved.mla.json", "--view", view, "--out", out, "--steps", "6"});
  };
  const Ended compared = draw("compare", "pinned.csv");
  ASSERT_EQ(compared.code, 0) << compared.err;
  EXPECT_EQ(csv_line(folder.read("pinned.csv"), "cache_bytes,,").at(5), "11520") << "2 layers, 40 tokens, 4 + 32 values";
  ASSERT_EQ(draw("attention", "weights.svg").code, 0);
  saved.views = {{"attention", {{"values", "rope"}}}};
  ASSERT_EQ(draw("attention", "rope.svg").code, 0);
  EXPECT_EQ(folder.read("weights.svg").find("RoPE"), std::string::npos);
  EXPECT_NE(folder.read("rope.svg").find("RoPE"), std::string::npos);
  saved.views = {{"memory", {{"scale", "cubic"}}}};
  const Ended refused = draw("memory", "cubic.png");
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("saved.mla.json: views: memory: \"scale\" is cubic"), std::string::npos) << refused.err;
  const std::vector<std::string> names = folder.names();
  EXPECT_EQ(std::count(names.begin(), names.end(), "cubic.png"), 0);
}

TEST(Render, MeasuresTheBitsPerByteOfBothTrainedModels) {
  const Folder folder;
  const Ended ended =
      run(folder, {"render", "--view", "compare", "--out", "c.csv", "--steps", "2", "--against", "kv-lora-rank=8"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const std::vector<std::string> bits = csv_line(folder.read("c.csv"), "bits_per_byte,");
  ASSERT_EQ(bits.size(), 9u);
  EXPECT_GT(std::stod(bits[6]), 1);
  EXPECT_GT(std::stod(bits[5]), std::stod(bits[6])) << "a latent of 8 predicts worse than one of 64";
}

TEST(Render, DrawsTheWindowOfTheBundledModel) {
  const Folder folder;
  const Ended ended = run(folder, {"render", "--view", "window", "--out", "w.png", "--steps", "2", "--size", "900x600"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(folder.read("w.png").substr(1, 3), "PNG");
}

TEST(Render, TheCrossoverTableHasThreePathsAtEverySizeOfEverySweep) {
  const Folder folder;
  const Ended ended = render(folder, "crossover", "c.csv", {"--layers", "1"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out + ended.err, "");
  std::map<std::string, int> points;
  std::istringstream lines(folder.read("c.csv"));
  std::string line;
  std::getline(lines, line);
  EXPECT_TRUE(line.starts_with("kind,sweep,tokens,batch,path,faster_before,steps,measured_ms,modelled_ms,")) << line;
  while (std::getline(lines, line)) {
    const std::size_t sweep = line.find(',') + 1;
    if (line.starts_with("point,")) ++points[line.substr(sweep, line.find(',', sweep) - sweep)];
  }
  EXPECT_EQ(points, (std::map<std::string, int>{{"batch", 3 * 5}, {"decode", 3 * 3}, {"prefill", 3 * 3}}));
}

TEST(Render, ASavedExperimentSaysWhichSweepTheCrossoverShows) {
  const Folder folder;
  SavedExperiment saved{
      *apply_all(default_experiment(), {{"hidden-size", "64"}, {"kv-lora-rank", "16"}, {"heads", "3"}, {"context", "128"}}),
      {},
      {{"crossover", {{"sweep", "prefill"}}}}};
  folder.write("saved.mla.json", to_json(saved));
  const Ended ended =
      run(folder, {"render", "--experiment", "saved.mla.json", "--view", "crossover", "--out", "c.svg", "--steps", "6"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  EXPECT_NE(folder.read("c.svg").find("Absorbed prefill"), std::string::npos);
}

TEST(Render, WhatAViewCannotShowOfAModelIsSaid) {
  const Folder folder;
  const Ended ended = run(folder, {"render", "--view", "coupled", "--out", "c.png", "--steps", "2", "--hidden-size", "64",
                                   "--heads", "2", "--variant", "mha", "--attention", "expanded"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("coupled RoPE: MHA has nothing to absorb"), std::string::npos) << ended.err;
  const Ended plain = run(folder, {"render", "--view", "crossover", "--out", "c.png", "--steps", "2", "--hidden-size", "64",
                                   "--heads", "2", "--variant", "mha", "--attention", "expanded"});
  EXPECT_EQ(plain.code, 1);
  EXPECT_NE(plain.err.find("crossover: MHA caches keys and values as they are"), std::string::npos) << plain.err;
}

}  // namespace
}  // namespace mla::testing

#endif
