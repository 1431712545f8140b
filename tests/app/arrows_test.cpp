#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace mla::testing {
namespace {

/// What each folder may include, itself aside: app -> ui, gpu, core; ui -> core; gpu -> core.
const std::map<std::string, std::set<std::string>> kAllowed = {
    {"app", {"app", "ui", "gpu", "core"}}, {"ui", {"ui", "core"}}, {"gpu", {"gpu", "core"}}, {"core", {"core"}}};

bool is_source(const std::filesystem::path& path) {
  static const std::set<std::string> suffixes = {".h", ".cpp", ".inc", ".cu", ".cuh"};
  return suffixes.count(path.extension().string()) > 0;
}

/// Calls `see(file, included)` for every include of the folder's sources; gives the number of includes.
template <class See>
int each_include(const std::string& folder, const See& see) {
  static const std::regex include(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(std::filesystem::path(MLA_SOURCE_DIR) / folder)) {
    if (!is_source(entry.path())) continue;
    std::ifstream file(entry.path());
    std::smatch match;
    for (std::string line; std::getline(file, line);) {
      if (!std::regex_search(line, match, include)) continue;
      ++count;
      see(entry.path().string(), match[1].str());
    }
  }
  return count;
}

TEST(Arrows, PointOneWay) {
  for (const auto& [folder, allowed] : kAllowed) {
    each_include(folder, [&, &may = allowed](const std::string& file, const std::string& included) {
      const std::string target = included.substr(0, included.find('/'));
      EXPECT_FALSE(kAllowed.count(target) && !may.count(target)) << file << " includes " << included;
    });
  }
  EXPECT_GT(each_include("core", [](const auto&, const auto&) {}), 50);
}

TEST(Arrows, CoreKnowsNeitherQtNorCuda) {
  static const std::regex foreign(R"(^(Q[A-Z]|Qt|cuda|cu[A-Z]))");
  for (const std::string folder : {"core", "gpu"}) {
    each_include(folder, [&](const std::string& file, const std::string& included) {
      const bool cuda_in_gpu = folder == "gpu" && included.starts_with("cu");
      EXPECT_FALSE(std::regex_search(included, foreign) && !cuda_in_gpu) << file << " includes " << included;
    });
  }
}

}  // namespace
}  // namespace mla::testing
