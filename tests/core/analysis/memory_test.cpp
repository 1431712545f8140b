#include "core/analysis/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include "core/analysis/free_memory.h"
#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "core/model/weights.h"
#include "core/spec/presets.h"

namespace mla {
namespace {

Experiment preset(std::string_view name, CacheDtype dtype = CacheDtype::fp16) {
  Experiment experiment = experiment_from(*find_preset(name));
  experiment.cache_dtype = dtype;
  return experiment;
}

const MemoryLine& line(const std::vector<MemoryLine>& lines, const std::string& label) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const MemoryLine& l) { return l.label == label; });
  EXPECT_NE(found, lines.end()) << label;
  return *found;
}

TEST(Memory, BytesPerTokenAsPublished) {
  for (const auto& [name, bytes] : {std::pair{"llama-2-7b", 524288},
                                    {"llama-3-8b", 131072},
                                    {"llama-3-70b", 327680},
                                    {"deepseek-v2", 69120},
                                    {"deepseek-v2-lite", 31104},
                                    {"deepseek-v3", 70272},
                                    {"glm-4.7-flash", 54144},
                                    {"mistral-small-4", 23040},
                                    {"minicpm3-4b", 35712}}) {
    EXPECT_EQ(compare_memory(preset(name)).front().bytes_per_token, bytes) << name;
  }
  EXPECT_EQ(line(compare_memory(preset("deepseek-v2-lite")), "MLA expanded").bytes_per_token, 276480);
  Experiment llama = preset("llama-2-7b");
  llama.context = 28000;
  EXPECT_NEAR(compare_memory(llama).front().total_bytes / 1e9, 14.7, 0.05);
}

TEST(Memory, RatiosAsPublished) {
  const auto lines = compare_memory(preset("deepseek-v2"));
  const double latent = double(lines.front().bytes_per_token);
  EXPECT_NEAR(line(lines, "MHA").bytes_per_token / latent, 56.9, 0.05);
  EXPECT_NEAR(line(lines, "MLA expanded").bytes_per_token / latent, 71.1, 0.05);
  EXPECT_NEAR(line(lines, "GQA-8").bytes_per_token / latent, 3.6, 0.05);
}

TEST(Memory, ValuesPerToken) {
  const ModelSpec toy = find_preset("tutorial")->spec;
  EXPECT_EQ(cache_values_per_token(toy, AttentionPath::absorbed), 4);
  EXPECT_EQ(cache_values_per_token(toy, AttentionPath::reexpanded), 4);
  EXPECT_EQ(cache_values_per_token(toy, AttentionPath::expanded), 4 + 4096);
  EXPECT_EQ(cache_values_per_token(toy, AttentionPath::uncached), 0);
  EXPECT_EQ(cache_values_per_token(ModelSpec{}, AttentionPath::expanded), 8 * (64 + 32 + 64));
  EXPECT_EQ(cache_bytes_per_token(ModelSpec{}, AttentionPath::absorbed, CacheDtype::bf16, 3), (96 + 32) * 2 * 3);
}

TEST(Memory, OwnLineFirstThenTheOthers) {
  const auto labels = [](Experiment e, AttentionPath path) {
    e.path = path;
    std::vector<std::string> list;
    for (const MemoryLine& l : compare_memory(e)) list.push_back(l.label);
    return list;
  };
  using List = std::vector<std::string>;
  using enum AttentionPath;
  EXPECT_EQ(labels(default_experiment(), absorbed), (List{"MLA latent (absorbed)", "MLA expanded", "MHA", "GQA-8", "MQA"}));
  EXPECT_EQ(labels(default_experiment(), reexpanded),
            (List{"MLA latent (reexpanded)", "MLA expanded", "MHA", "GQA-8", "MQA"}));
  EXPECT_EQ(labels(default_experiment(), expanded), (List{"MLA expanded", "MLA latent", "MHA", "GQA-8", "MQA"}));
  EXPECT_EQ(labels(default_experiment(), uncached),
            (List{"MLA uncached", "MLA latent", "MLA expanded", "MHA", "GQA-8", "MQA"}));
  EXPECT_EQ(labels(preset("qwen2.5-7b"), expanded), (List{"GQA-4", "MLA latent", "MLA expanded", "MHA", "MQA"}));
  EXPECT_EQ(labels(preset("llama-2-7b"), expanded), (List{"MHA", "MLA latent", "MLA expanded", "GQA-8", "MQA"}));
  EXPECT_EQ(labels(preset("tutorial"), absorbed), (List{"MLA latent (absorbed)", "MLA expanded", "MHA", "GQA-8", "MQA"}));
}

TEST(Memory, UncachedHoldsNothing) {
  Experiment e = default_experiment();
  e.path = AttentionPath::uncached;
  EXPECT_EQ(compare_memory(e).front().total_bytes, 0);
  EXPECT_EQ(memory_need(e).cache, 0);
  EXPECT_GT(memory_need(e).scratch, 4096ll * 2 * 8 * (64 + 32 + 64) * 4);  // what it rebuilds at every step
}

TEST(Memory, TotalsCountContextBatchAndAllLayers) {
  Experiment e = preset("deepseek-v3");
  e.layers = 1;
  e.context = 1000;
  e.batch = 3;
  EXPECT_EQ(compare_memory(e).front().total_bytes, 70272ll * 3000);
  EXPECT_EQ(memory_need(e).cache, 576ll * 2 * 1024 * 3);  // one layer runs; whole blocks of 64 tokens
  EXPECT_EQ(memory_need(e).weights, weight_bytes(e));
}

TEST(Memory, SaturatesInsteadOfOverflowing) {
  Experiment e = default_experiment();
  e.spec.attention = {Variant::mla, 32768, 512, 512, 1024, 1024, 1024, 4096, 8192, {}};
  e.spec.num_hidden_layers = e.layers = 256;
  e.spec.intermediate_size = 262144;
  e.context = 4194304;
  e.batch = 1024;
  for (const AttentionPath path : paths_of(Variant::mla)) {
    e.path = path;
    ASSERT_TRUE(validate(e));
    const MemoryNeed need = memory_need(e);
    EXPECT_GT(need.weights, 0);
    EXPECT_GE(need.cache, 0);
    EXPECT_GT(need.scratch, 0);
    EXPECT_GE(need.total(), need.scratch);
    EXPECT_FALSE(check_fits(e, std::int64_t(1) << 50));
    for (const MemoryLine& l : compare_memory(e)) EXPECT_GE(l.total_bytes, l.bytes_per_token);
  }
}

TEST(Memory, NeedIsWhatARunOfFullContextHolds) {
  const auto backend = make_cpu_backend();
  for (const char* variant : {"mla", "mha", "gqa", "mqa"}) {
    for (const AttentionPath path : paths_of(*parse_variant(variant))) {
      auto made = apply_all(default_experiment(), {{"variant", variant},
                                                   {"hidden-size", "48"},
                                                   {"heads", "3"},
                                                   {"context", "70"},
                                                   {"batch", "2"},
                                                   {"cache-dtype", "bf16"},
                                                   {"prefill", "69"},
                                                   {"prompt", ""}});
      ASSERT_TRUE(made);
      Experiment e = *made;
      e.path = path;
      auto model = load(e);
      ASSERT_TRUE(model) << model.error().message;
      EXPECT_EQ(memory_need(e).weights, model->weights->bytes());
      EXPECT_EQ(weight_bytes(e), 4 * parameter_count(e.spec, e.layers));
      auto decoder = Decoder::create(e, *backend, model->weights);
      ASSERT_TRUE(decoder) << decoder.error().message;
      const auto step = (*decoder)->step();
      ASSERT_TRUE(step) << step.error().message;
      EXPECT_EQ(step->cache_allocated_bytes, memory_need(e).cache) << variant << " " << name_of(path);
      EXPECT_EQ(step->cache_bytes, cache_bytes_per_token(e.spec, path, e.cache_dtype, e.layers) * e.context * e.batch);
    }
  }
}

TEST(Memory, ManySequencesNeedRoomForTheirSums) {
  Experiment e = experiment_from(*find_preset("deepseek-v3"));
  e.context = 4096;
  const std::int64_t one = memory_need(e).scratch;
  e.batch = 64;
  // Of each sequence: 16 chunks of tokens, 128 heads, 512 values in rows an odd number of cache lines apart.
  EXPECT_GE(memory_need(e).scratch - one, 63ll * 16 * 128 * 528 * 4);
}

TEST(Memory, WeightsOfEveryPresetAreItsParameters) {
  for (const Preset& p : presets()) {
    const Experiment e = experiment_from(p);
    EXPECT_EQ(weight_bytes(e), 4 * parameter_count(e.spec, e.layers)) << p.name;
  }
}

TEST(CheckFits, NamesTheLargestPartAndBothFigures) {
  Experiment e = preset("deepseek-v2-lite");
  e.context = 4000000;
  e.batch = 64;
  const Status status = check_fits(e, 21ll << 30);
  ASSERT_FALSE(status);
  const std::string& message = status.error().message;
  EXPECT_EQ(message.rfind("context 4000000, batch 64: the run needs ", 0), 0u) << message;
  EXPECT_NE(message.find(" GiB and 21.0 GiB are free; lower context, batch or layers"), std::string::npos) << message;
  e.context = 64;
  e.batch = 1;
  EXPECT_EQ(check_fits(e, 1 << 20).error().message.rfind("hidden-size 2048, layers 1: the run needs ", 0), 0u);
}

TEST(CheckFits, TheLimitIsTheNeedLessWhatIsHeldAlready) {
  const Experiment e = default_experiment();
  const std::int64_t need = memory_need(e).total();
  EXPECT_TRUE(check_fits(e, need));
  EXPECT_FALSE(check_fits(e, need - 1));
  EXPECT_TRUE(check_fits(e, need - 1000, 1000));
  EXPECT_FALSE(check_fits(e, need - 1001, 1000));
}

/// A copy of the kernel's files in a folder of its own.
class FreeMemory : public testing::Test {
 protected:
  FreeMemory() { write("proc/meminfo", "MemTotal:       9000000 kB\nMemFree:  10 kB\nMemAvailable:    2000000 kB\n"); }
  ~FreeMemory() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("free_memory_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)) +
                                                "_" + testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(FreeMemory, WithoutGroupsIsWhatTheKernelSays) { EXPECT_EQ(free_memory_under(root_), 2000000ll * 1024); }

TEST_F(FreeMemory, Version2TakesTheTightestOfTheChain) {
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/memory.max", "500000\n");
  write("sys/fs/cgroup/outer/memory.current", "300000\n");
  write("sys/fs/cgroup/outer/memory.stat", "anon 5\ninactive_file 100000\n");
  write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
  write("sys/fs/cgroup/outer/inner/memory.current", "200000\n");
  EXPECT_EQ(free_memory_under(root_), 500000 - 300000 + 100000);
  write("sys/fs/cgroup/outer/inner/memory.max", "210000\n");
  EXPECT_EQ(free_memory_under(root_), 10000);
}

TEST_F(FreeMemory, Version2InsideAContainerSeesItsMountAlone) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/memory.max", "1000000\n");
  write("sys/fs/cgroup/memory.current", "1200000\n");
  EXPECT_EQ(free_memory_under(root_), 0);
}

TEST_F(FreeMemory, Version1CountsToo) {
  write("proc/self/cgroup", "5:cpu:/x\n4:memory,hugetlb:/box\nbroken\n");
  write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "800000\n");
  write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "300000\n");
  EXPECT_EQ(free_memory_under(root_), 500000);
  write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(free_memory_under(root_), 2000000ll * 1024);
}

TEST(AvailableMemory, OfThisMachineIsPlausible) {
  EXPECT_GT(available_memory(), 1 << 20);
  EXPECT_LT(available_memory(), std::int64_t(1) << 50);
}

}  // namespace
}  // namespace mla
