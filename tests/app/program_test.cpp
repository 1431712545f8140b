#include <gtest/gtest.h>

#include "tests/app/program.h"

namespace mla::testing {
namespace {

TEST(Program, SaysItsVersion) {
  const Folder folder;
  const Ended ended = run(folder, {"--version"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out, "mla-explorer " MLA_VERSION "\n");
}

TEST(Program, HelpListsEverySubcommandAndEachHasItsOwn) {
  const Folder folder;
  const Ended help = run(folder, {"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.err, "");
  for (const std::string name : {"decode", "sweep", "memory", "bench", "render", "presets", "models", "views", "backends"}) {
    EXPECT_NE(help.out.find("\n  " + name), std::string::npos) << name;
    const Ended own = run(folder, {name, "--help"});
    EXPECT_EQ(own.code, 0) << name;
    EXPECT_NE(own.out.find(name), std::string::npos) << own.out;
  }
}

TEST(Program, HelpOfASubcommandNamesEveryExperimentOption) {
  const Folder folder;
  const std::string help = run(folder, {"memory", "--help"}).out;
  for (const char* option :
       {"--model",   "--preset",   "--experiment",  "--variant",     "--attention",     "--kv-lora-rank", "--q-lora-rank",
        "--heads",   "--kv-heads", "--nope-dim",    "--rope-dim",    "--v-head-dim",    "--hidden-size",  "--layers",
        "--context", "--prefill",  "--batch",       "--cache-dtype", "--weights-dtype", "--backend",      "--threads",
        "--isa",     "--seed",     "--temperature", "--top-k",       "--top-p",         "--json"}) {
    EXPECT_NE(help.find(option), std::string::npos) << option;
  }
}

TEST(Program, ListsThePresets) {
  const Folder folder;
  const std::string out = run(folder, {"presets"}).out;
  for (const std::string name :
       {"llama-2-7b", "llama-3-8b", "llama-3-70b", "mistral-7b", "qwen2.5-7b", "deepseek-v2-lite", "deepseek-v2",
        "deepseek-v3", "kimi-k2", "glm-4.7-flash", "glm-5", "mistral-small-4", "minicpm3-4b", "longcat-flash", "tutorial"}) {
    EXPECT_TRUE(out.starts_with(name + ' ') || out.find('\n' + name + ' ') != std::string::npos) << name;
    EXPECT_EQ(run(folder, {"memory", "--preset", name, "--json", "-"}).code, 0) << name;
  }
}

TEST(Program, ListsTheBackends) {
  const Folder folder;
  const Ended ended = run(folder, {"backends"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_TRUE(ended.out.starts_with("cpu: ")) << ended.out;
  EXPECT_NE(ended.out.find("\ncuda: "), std::string::npos) << ended.out;
}

TEST(Program, FailsWhereItsOutputCannotBeWritten) {
  const Folder folder;
  const Ended ended = run(folder, {"memory", "--json", "/dev/full"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_NE(ended.err.find("/dev/full"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace mla::testing
