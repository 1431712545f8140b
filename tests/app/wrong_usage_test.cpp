#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/app/program.h"

namespace mla::testing {
namespace {

/// A wrong command line and what the one line on standard error has to name.
struct Wrong {
  std::vector<std::string> arguments;
  std::string culprit;
};

const std::vector<Wrong>& wrong_command_lines() {
  static const std::vector<Wrong> list = {
      // Words and options that do not exist, or not yet.
      {{"decoed"}, "decoed"},
      {{"missing.mla.json"}, "missing.mla.json"},
      {{"--nonsense"}, "--nonsense"},
      {{"decode", "--nonsense", "1"}, "--nonsense"},
      {{"memory", "surplus"}, "surplus"},
      {{"memory", "decode"}, "decode"},
      {{"evaluate"}, "--text"},
      {{"evaluate", "--text", "x"}, "--text x"},
      {{"evaluate", "--text", "noise.mla.json", "--axis", "latent=2"}, "latent"},
      {{"evaluate", "--text", "noise.mla.json", "--axis", "kv-lora-rank=65", "--model", "fairy-tales"}, "kv-lora-rank 65"},
      {{"models", "--all"}, "--all"},
      {{"decode", "--model", "fairy-tails"}, "fairy-tails"},
      {{"memory", "--variant", "tpa"}, "tpa"},
      {{"memory", "--variant", "mlaa"}, "--variant mlaa"},
      {{"memory", "--variant", ""}, "--variant"},
      {{"memory", "--cache-dtype", "int4"}, "int4"},
      {{"memory", "--cache-dtype", "fp33"}, "fp33"},
      {{"decode", "--weights-dtype", "fp16"}, "fp16"},
      {{"decode", "--backend", "tpu"}, "tpu"},
      {{"decode", "--isa", "mmx"}, "mmx"},
      // Values out of their range, or no numbers.
      {{"memory", "--kv-lora-rank", "0"}, "--kv-lora-rank 0"},
      {{"memory", "--kv-lora-rank", "-4"}, "--kv-lora-rank -4"},
      {{"memory", "--kv-lora-rank", "many"}, "--kv-lora-rank many"},
      {{"memory", "--kv-lora-rank", "8.5"}, "--kv-lora-rank 8.5"},
      {{"memory", "--kv-lora-rank", "99999999999999999999"}, "99999999999999999999"},
      {{"memory", "--kv-lora-rank", "1\n2"}, "--kv-lora-rank"},
      {{"memory", "--kv-lora-rank"}, "--kv-lora-rank"},
      {{"memory", "--heads", "0"}, "--heads 0"},
      {{"memory", "--heads", "4", "--heads", "8"}, "--heads"},
      {{"memory", "--variant", "gqa", "--kv-heads", "3"}, "--kv-heads"},
      {{"memory", "--rope-dim", "7"}, "--rope-dim"},
      {{"memory", "--preset", "tutorial", "--rope-dim", "16"}, "--rope-dim"},
      {{"memory", "--layers", "0"}, "--layers 0"},
      {{"memory", "--preset", "deepseek-v3", "--layers", "62"}, "--layers 62"},
      {{"memory", "--context", "0"}, "--context 0"},
      {{"decode", "--context", "8", "--prefill", "8"}, "prefill"},
      {{"decode", "--context", "20", "--prompt", "more than twenty characters"}, "--context 20"},
      {{"decode", "--variant", "mha", "--attention", "absorbed"}, "absorbed"},
      {{"decode", "--batch", "0"}, "--batch 0"},
      {{"decode", "--threads", "-1"}, "--threads -1"},
      {{"decode", "--seed", "x"}, "--seed x"},
      {{"decode", "--temperature", "-1"}, "--temperature -1"},
      {{"decode", "--temperature", "nan"}, "--temperature nan"},
      {{"decode", "--top-p", "0"}, "--top-p 0"},
      {{"decode", "--top-k", "-1"}, "--top-k -1"},
      {{"decode", "--steps", "-1"}, "--steps"},
      {{"decode", "--steps", "some"}, "--steps"},
      {{"decode", "--heads", "512", "--nope-dim", "1024", "--hidden-size", "32768", "--layers", "256"}, "GiB"},
      // What a decode starts from.
      {{"decode", "--tokens", "1,2,1024"}, "1024"},
      {{"decode", "--tokens", "1,,2"}, "--tokens"},
      {{"decode", "--tokens", "1,two"}, "two"},
      {{"decode", "--tokens", "-1"}, "-1"},
      {{"decode", "--tokens", "1", "--prompt", "x"}, "--prompt"},
      {{"decode", "--prompt", ""}, "--prompt"},
      {{"decode", "--preset", "tutorial", "--tokens", "1"}, "--tokens"},
      {{"decode", "--preset", "tutorial", "--prompt", "x"}, "--prompt"},
      {{"decode", "--inputs", "absent.safetensors"}, "absent.safetensors"},
      {{"decode", "--inputs", "cut.safetensors"}, "cut.safetensors"},
      {{"decode", "--inputs", "noise.safetensors"}, "noise.safetensors"},
      {{"decode", "--inputs", "other.safetensors"}, "tensor x"},
      {{"decode", "--inputs", "narrow.safetensors"}, "[2, 3]"},
      {{"decode", "--hidden-size", "512", "--inputs", "wide.safetensors", "--steps", "2"}, "--steps 2"},
      // Models, presets, saved experiments.
      {{"memory", "--preset", "gpt-7"}, "gpt-7"},
      {{"memory", "--model", "fairy-tale"}, "fairy-tale"},
      {{"memory", "--model", "."}, "config.json"},
      {{"decode", "--model", MLA_SOURCE_DIR "/tests/golden/mla-plain", "--prompt", "x"}, "--prompt"},
      {{"decode", "--model", MLA_SOURCE_DIR "/tests/golden/mla-plain", "--heads", "1"}, "--heads 1"},
      {{"decode", "--model", MLA_SOURCE_DIR "/tests/golden/mla-plain", "--tokens", "50"}, "50"},
      {{"decode", "--model", MLA_SOURCE_DIR "/tests/golden/moe-softmax", "--layers", "4"}, "--layers 4"},
      {{"decode", "--model", MLA_SOURCE_DIR "/tests/golden/llama-tied", "--attention", "absorbed"}, "absorbed"},
      {{"decode", "--model", MLA_SOURCE_DIR "/tests/golden/llama-tied", "--kv-heads", "1"}, "--kv-heads 1"},
      {{"memory", "--model", "gpt"}, "model_type is \"gpt2\""},
      {{"decode", "--model", "outside", "--tokens", "1"}, "../model.safetensors"},
      {{"decode", "--model", "unsharded", "--tokens", "1"}, "one.safetensors"},
      {{"decode", "--model", "unindexed", "--tokens", "1"}, "weight_map"},
      {{"decode", "--model", "quantised", "--tokens", "1"}, "quant_method is \"awq\""},
      {{"memory", "--preset", "tutorial", "--experiment", "unknown.mla.json"}, "--preset"},
      {{"memory", "--experiment", "absent.mla.json"}, "absent.mla.json"},
      {{"memory", "--experiment", "noise.mla.json"}, "noise.mla.json"},
      {{"memory", "--experiment", "unknown.mla.json"}, "colour"},
      {{"memory", "--experiment", "later.mla.json"}, "99"},
      {{"memory", "--experiment", "."}, "."},
      // Where results go.
      {{"memory", "--json", "no/folder/out.json"}, "no/folder/out.json"},
      {{"memory", "--json", "."}, "."},
      {{"memory", "--json", ""}, "--json"},
      {{"decode", "--dump", "no/folder/out.safetensors"}, "no/folder"},
      {{"decode", "--dump", "d.safetensors", "--json", "no/folder/out.json"}, "no/folder/out.json"},
      // Sweeps.
      {{"sweep", "--out", "s"}, "--axis"},
      {{"sweep", "--axis", "kv-lora-rank=2"}, "--out"},
      {{"sweep", "--axis", "kv-lora-rank", "--out", "s"}, "kv-lora-rank"},
      {{"sweep", "--axis", "kv-lora-rank=", "--out", "s"}, "kv-lora-rank"},
      {{"sweep", "--axis", "kv-lora-rank=8,0", "--out", "s"}, "kv-lora-rank 0"},
      {{"sweep", "--axis", "latent=8", "--out", "s"}, "latent"},
      {{"sweep", "--axis", "heads=2", "--axis", "heads=4", "--out", "s"}, "heads"},
      {{"sweep", "--axis", "backend=tpu", "--out", "s"}, "tpu"},
      {{"sweep", "--axis", "kv-lora-rank=8", "--tokens", "0", "--out", "s"}, "--tokens"},
      {{"sweep", "--axis", "kv-lora-rank=8", "--tokens", "5000", "--out", "s"}, "5000"},
      {{"sweep", "--axis", "kv-lora-rank=8", "--out", "noise.mla.json"}, "noise.mla.json"},
      {{"sweep", "--axis", "kv-lora-rank=8", "--out", "noise.mla.json/s"}, "noise.mla.json"},
      {{"bench", "--suite", "everything"}, "everything"},
      {{"bench", "--isa", "mmx"}, "mmx"},
      {{"bench", "--threads", "-1"}, "--threads"},
#ifdef MLA_WINDOW
      // Pictures.
      {{"render", "--out", "a.png"}, "--view"},
      {{"render", "--view", "memory"}, "--out"},
      {{"render", "--view", "sunset", "--out", "a.png"}, "sunset"},
      {{"render", "--view", "memory", "--out", "a.gif"}, "a.gif"},
      {{"render", "--view", "memory", "--out", "a"}, "--out"},
      {{"render", "--view", "window", "--out", "a.csv"}, "a.csv"},
      {{"render", "--view", "memory", "--out", "no/folder/a.png"}, "no/folder"},
      {{"render", "--view", "memory", "--out", "a.png", "--size", "800"}, "--size 800"},
      {{"render", "--view", "memory", "--out", "a.png", "--size", "0x0"}, "--size 0x0"},
      {{"render", "--view", "memory", "--out", "a.png", "--size", "99999x99999"}, "--size"},
      {{"render", "--view", "memory", "--out", "a.png", "--theme", "pink"}, "pink"},
      {{"render", "--view", "memory", "--out", "a.png", "--steps", "5000"}, "5000"},
      {{"render", "--view", "compare", "--out", "a.png"}, "--against"},
      {{"render", "--view", "memory", "--out", "a.png", "--against", "heads=2"}, "--against"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", ""}, "--against"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "heads"}, "--against heads"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "heads=2,"}, "--against"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "=2"}, "=2"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "latent=2"}, "latent"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "backend=cuda"}, "backend cuda beside backend cpu"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "kv-lora-rank=0"}, "kv-lora-rank 0"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "absent.mla.json"}, "absent.mla.json"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "noise.mla.json"}, "noise.mla.json"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "unknown.mla.json"}, "colour"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "context=9"}, "context"},
      {{"render", "--view", "compare", "--out", "a.png", "--against", "backend=cuda"}, "cuda"},
      {{"render", "--preset", "tutorial", "--view", "compare", "--out", "a.png", "--against", "seed=9"}, "seed"},
      {{}, "display"},
#endif
  };
  return list;
}

/// Model directories that are wrong, each in its own way; the configurations are a golden model's.
void write_models(const Folder& folder) {
  std::ifstream file(MLA_SOURCE_DIR "/tests/golden/llama-tied/config.json");
  nlohmann::json config = nlohmann::json::parse(file);
  const auto write = [&](const std::string& name, const std::string& index) {
    std::filesystem::create_directory(folder.path(name));
    folder.write(name + "/config.json", config.dump());
    if (!index.empty()) folder.write(name + "/model.safetensors.index.json", index);
  };
  write("outside", R"({"weight_map": {"model.norm.weight": "../model.safetensors"}})");
  write("unsharded", R"({"weight_map": {"model.norm.weight": "one.safetensors"}})");
  write("unindexed", R"({"metadata": {}})");
  config["quantization_config"] = {{"quant_method", "awq"}};
  write("quantised", "");
  config["model_type"] = "gpt2";
  write("gpt", "");
}

class WrongUsage : public ::testing::TestWithParam<std::size_t> {};

TEST_P(WrongUsage, IsOneLineThatNamesTheCulpritAndLeavesNoFile) {
  const Folder folder;
  const std::string good = safetensors_of("x", {2, 512});
  folder.write("wide.safetensors", good);
  folder.write("cut.safetensors", good.substr(0, good.size() - 100));
  folder.write("narrow.safetensors", safetensors_of("x", {2, 3}));
  folder.write("other.safetensors", safetensors_of("y", {2, 512}));
  folder.write("noise.safetensors", std::string(200, '\xfe'));
  folder.write("noise.mla.json", "{ \"format\": [");
  folder.write("unknown.mla.json", R"({"format": "mla-explorer experiment", "version": 1, "colour": "red"})");
  folder.write("later.mla.json", R"({"format": "mla-explorer experiment", "version": 99})");
  write_models(folder);
  const std::vector<std::string> before = folder.names();

  const Wrong& wrong = wrong_command_lines()[GetParam()];
  const Ended ended = run(folder, wrong.arguments);
  EXPECT_TRUE(ended.code == 1 || ended.code == 2) << ended.code << ' ' << ended.err;
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  EXPECT_TRUE(ended.err.starts_with("mla-explorer: ")) << ended.err;
  EXPECT_NE(ended.err.find(wrong.culprit), std::string::npos) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(folder.names(), before);
}

INSTANTIATE_TEST_SUITE_P(All, WrongUsage, ::testing::Range(std::size_t(0), wrong_command_lines().size()));

}  // namespace
}  // namespace mla::testing
