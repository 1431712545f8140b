// The engine against PyTorch: tests/golden/make_goldens.py wrote what every tensor of a dump must be.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tests/core/io/temp_folder.h"
#include "tests/core/model/golden_run.h"
#include "tests/core/model/grouped_golden.h"

namespace mla {
namespace {

constexpr double tolerance = 2e-5;  // of the range of the expected tensor

/// The largest difference as a fraction of the expected values' range; infinite where either is not a number, or where
/// expected values that are all the same are missed.
double relative_error(const std::vector<float>& got, const std::vector<float>& expected) {
  if (got.size() != expected.size()) return INFINITY;
  const auto [least, most] = std::minmax_element(expected.begin(), expected.end());
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(double(got[i]) - expected[i]);
    largest = std::isfinite(difference) ? std::max(largest, difference) : INFINITY;
  }
  const double range = double(*most) - *least;
  return range > 0 ? largest / range : largest == 0 ? 0 : INFINITY;
}

using Case = std::tuple<std::string, AttentionPath, Feed>;

class Golden : public testing::TestWithParam<Case> {};

/// Holds everything that the run would dump against what PyTorch computed.
void compare_with_pytorch(const Result<GoldenRun>& run, const std::string& name) {
  ASSERT_TRUE(run) << run.error().message;
  const Result<std::vector<DumpTensor>> dump = collect_dump(*run->decoder, run->traces);
  ASSERT_TRUE(dump) << dump.error().message;
  const Result<Safetensors> expected = Safetensors::open(golden_folder(name) + "/expected.safetensors");
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(dump->size(), expected->tensors().size());
  for (const DumpTensor& tensor : *dump) {
    const TensorView* const view = expected->find(tensor.name);
    ASSERT_NE(view, nullptr) << tensor.name;
    ASSERT_EQ(tensor.shape, view->shape) << tensor.name;
    const double error = relative_error(tensor.values, *read_fp32(*expected, tensor.name));
    std::ostringstream text;
    text << error;
    testing::Test::RecordProperty(tensor.name, text.str());
    EXPECT_LE(error, tolerance) << tensor.name << ": largest error " << error << " of its range";
  }
}

TEST_P(Golden, MatchesPyTorch) {
  const auto& [name, path, how] = GetParam();
  compare_with_pytorch(run_golden(name, path, how), name);
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  const auto& [name, path, how] = info.param;
  const char* const feeds[]{"one_pass", "token_by_token", "mixed"};
  std::string text = name + "_" + std::string(name_of(path)) + "_" + feeds[static_cast<int>(how)];
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

INSTANTIATE_TEST_SUITE_P(All, Golden,
                         testing::Combine(testing::Values("toy", "toy-odd", "mla-plain", "mla-q-lora", "mla-yarn", "mla-odd",
                                                          "mla-halves", "moe-softmax", "moe-sigmoid", "moe-odd", "fp8",
                                                          "sharded"),
                                          testing::Values(AttentionPath::uncached, AttentionPath::expanded,
                                                          AttentionPath::reexpanded, AttentionPath::absorbed),
                                          testing::Values(Feed::one_pass, Feed::token_by_token, Feed::mixed)),
                         case_name);

INSTANTIATE_TEST_SUITE_P(Llama, Golden,
                         testing::Combine(testing::Values("llama-tied", "llama-mha", "qwen2"),
                                          testing::Values(AttentionPath::uncached, AttentionPath::expanded),
                                          testing::Values(Feed::one_pass, Feed::token_by_token, Feed::mixed)),
                         case_name);

class GroupedGolden : public testing::TestWithParam<Case> {};

TEST_P(GroupedGolden, MatchesPyTorch) {
  const auto& [name, path, how] = GetParam();
  const Result<LoadedCheckpoint> model = load_grouped(golden_folder(name));
  ASSERT_TRUE(model) << model.error().message;
  compare_with_pytorch(run_model(golden_folder(name), *model, path, how), name);
}

INSTANTIATE_TEST_SUITE_P(All, GroupedGolden,
                         testing::Combine(testing::Values("mha", "gqa", "mqa"),
                                          testing::Values(AttentionPath::uncached, AttentionPath::expanded),
                                          testing::Values(Feed::one_pass, Feed::token_by_token, Feed::mixed)),
                         case_name);

TEST(Dump, WritesTheTensorsUnderTheirNames) {
  const TempFolder folder;
  for (const std::string name : {"mla-yarn", "toy"}) {
    const Result<GoldenRun> run = run_golden(name, AttentionPath::absorbed, Feed::mixed);
    ASSERT_TRUE(run) << run.error().message;
    const Status written = write_dump(folder / "dump", *run->decoder, run->traces);
    ASSERT_TRUE(written) << written.error().message;
    const Result<Safetensors> dump = Safetensors::open(folder / "dump");
    ASSERT_TRUE(dump) << dump.error().message;
    const Safetensors expected = *Safetensors::open(golden_folder(name) + "/expected.safetensors");
    ASSERT_EQ(dump->tensors().size(), expected.tensors().size());
    for (const TensorView& tensor : dump->tensors()) {
      ASSERT_NE(expected.find(tensor.name), nullptr) << tensor.name;
      EXPECT_EQ(tensor.shape, expected.find(tensor.name)->shape) << tensor.name;
      EXPECT_LE(relative_error(*read_fp32(*dump, tensor.name), *read_fp32(expected, tensor.name)), tolerance) << tensor.name;
    }
  }
}

TEST(Dump, RefusesARunThatWasNotTraced) {
  const TempFolder folder;
  const Result<GoldenRun> run =
      run_golden("mla-plain", AttentionPath::absorbed, Feed::one_pass, {TraceRequest::Layers::one, 0});
  ASSERT_TRUE(run) << run.error().message;
  const Status written = write_dump(folder / "dump", *run->decoder, run->traces);
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("position 0 in layer 1"), std::string::npos) << written.error().message;
  EXPECT_EQ(folder.entries(), 0);
}

}  // namespace
}  // namespace mla
