#include "core/io/tensor_files.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/core/io/temp_folder.h"

namespace mla {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// A directory with the shards one.safetensors (a, b) and two.safetensors (c), and an index.
class Shards {
 public:
  Shards() {
    write("one.safetensors", {"a", "b"});
    write("two.safetensors", {"c"});
    index(good().dump());
  }
  static json good() {
    return {{"metadata", {{"total_size", 24}}},
            {"weight_map", {{"a", "one.safetensors"}, {"b", "one.safetensors"}, {"c", "two.safetensors"}}}};
  }
  void write(const std::string& file, const std::vector<std::string>& names) const {
    const std::vector<float> values{1, 2};
    std::vector<NamedTensor> tensors;
    for (const std::string& name : names) tensors.push_back({name, {2}, values});
    ASSERT_TRUE(write_safetensors(folder_ / file, tensors));
  }
  void index(const std::string& text) const { write_plainly(folder_ / "model.safetensors.index.json", text); }
  std::string error() const {
    const Result<TensorFiles> opened = TensorFiles::open(folder_.path());
    return opened ? "" : opened.error().message;
  }
  std::string operator/(const std::string& name) const { return folder_ / name; }
  std::string path() const { return folder_.path(); }

 private:
  TempFolder folder_;
};

TEST(TensorFiles, FindsEveryTensorInItsShard) {
  const Shards shards;
  const Result<TensorFiles> opened = TensorFiles::open(shards.path());
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->tensors().size(), 3u);
  EXPECT_EQ(opened->path(), shards / "model.safetensors.index.json");
  for (const auto& [name, file] : {std::pair{"a", "one.safetensors"}, {"b", "one.safetensors"}, {"c", "two.safetensors"}}) {
    ASSERT_NE(opened->find(name), nullptr) << name;
    EXPECT_EQ(opened->find(name)->view->name, name);
    EXPECT_EQ(opened->find(name)->file, shards / file);
  }
  EXPECT_EQ(opened->find("d"), nullptr);
}

TEST(TensorFiles, FollowsALinkAsDownloadsMakeThem) {
  const Shards shards;
  fs::create_directory(shards / "blobs");
  fs::rename(shards / "two.safetensors", shards / "blobs/123");
  fs::create_symlink("blobs/123", shards / "two.safetensors");
  EXPECT_EQ(shards.error(), "");
}

TEST(TensorFiles, PrefersTheOneFile) {
  const Shards shards;
  shards.write("model.safetensors", {"x"});
  const Result<TensorFiles> opened = TensorFiles::open(shards.path());
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->tensors().size(), 1u);
  EXPECT_NE(opened->find("x"), nullptr);
}

TEST(TensorFiles, RefusesAnIndexThatIsNone) {
  const Shards shards;
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "index.json: the index is not valid JSON at byte 1"},
      {R"({"weight_map": {"a": )", "the index is not valid JSON"},
      {"[]", "index.json: weight_map is missing"},
      {"{}", "index.json: weight_map is missing"},
      {R"({"weight_map": {}})", "weight_map is missing"},
      {R"({"weight_map": ["one.safetensors"]})", "weight_map is missing"},
      {R"({"weight_map": {"a": 7}})", "weight_map of a is 7; it must be the name of a shard"},
      {R"({"weight_map": {"a": "one.safetensors", "a": "two.safetensors"}})", "the index names \"a\" twice"},
  };
  for (const auto& [text, culprit] : table) {
    shards.index(text);
    EXPECT_NE(shards.error().find(culprit), std::string::npos) << text << ": " << shards.error();
    EXPECT_EQ(shards.error().rfind(shards.path(), 0), 0u) << shards.error();
  }
}

TEST(TensorFiles, RefusesShardsOutsideTheDirectory) {
  const Shards shards;
  fs::create_directory(shards / "sub");
  fs::copy(shards / "one.safetensors", shards / "sub/one.safetensors");
  for (const std::string& outside :
       {shards / "one.safetensors", std::string("../one.safetensors"), std::string("sub/../../x/one.safetensors"),
        std::string("sub/one.safetensors"), std::string("..\\one.safetensors"), std::string(".."), std::string("."),
        std::string(""), std::string("one.safetensors\0.txt", 20)}) {
    json index = Shards::good();
    index["weight_map"]["a"] = outside;
    shards.index(index.dump());
    EXPECT_NE(shards.error().find("a shard must be a file in the same directory"), std::string::npos)
        << outside << ": " << shards.error();
    EXPECT_NE(shards.error().find("weight_map of a is"), std::string::npos) << shards.error();
  }
}

TEST(TensorFiles, RefusesShardsThatAreMissingOrBroken) {
  const Shards shards;
  fs::resize_file(shards / "two.safetensors", fs::file_size(shards / "two.safetensors") - 1);
  EXPECT_NE(shards.error().find("shard two.safetensors: "), std::string::npos) << shards.error();
  EXPECT_NE(shards.error().find("tensor \"c\" has data_offsets"), std::string::npos) << shards.error();
  fs::remove(shards / "two.safetensors");
  EXPECT_NE(shards.error().find("two.safetensors: cannot open"), std::string::npos) << shards.error();
}

TEST(TensorFiles, RefusesTensorsThatAreNotWhereTheIndexSays) {
  const Shards shards;
  json index = Shards::good();
  index["weight_map"]["b"] = "two.safetensors";
  shards.index(index.dump());
  EXPECT_NE(shards.error().find("weight_map puts tensor b into two.safetensors, but it is in one.safetensors"),
            std::string::npos)
      << shards.error();
  index = Shards::good();
  index["weight_map"]["d"] = "two.safetensors";
  shards.index(index.dump());
  EXPECT_NE(shards.error().find("weight_map puts tensor d into two.safetensors, which does not hold it"), std::string::npos)
      << shards.error();
  index = Shards::good();
  index["weight_map"].erase("b");
  shards.index(index.dump());
  EXPECT_NE(shards.error().find("one.safetensors: tensor b is not in the weight_map"), std::string::npos) << shards.error();
}

TEST(TensorFiles, RefusesATensorInTwoShards) {
  const Shards shards;
  shards.write("two.safetensors", {"c", "a"});
  EXPECT_NE(shards.error().find("two.safetensors: tensor a is in one.safetensors as well"), std::string::npos)
      << shards.error();
}

}  // namespace
}  // namespace mla
