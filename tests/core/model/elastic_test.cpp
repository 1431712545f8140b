#include "core/model/elastic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/attention/rope.h"
#include "tests/core/model/golden_run.h"

namespace mla {
namespace {

class ElasticModel : public testing::Test {
 protected:
  /// The golden model at a size, its outputs over the golden's tokens.
  Result<std::vector<float>> logits(int latent, int rope, int heads, AttentionPath path, Feed how) {
    Experiment experiment;
    experiment.model = folder_;
    experiment.spec = full_;
    experiment.spec.attention.kv_lora_rank = latent;
    experiment.spec.attention.qk_rope_head_dim = rope;
    experiment.spec.attention.num_attention_heads = experiment.spec.attention.num_key_value_heads = heads;
    experiment.path = path;
    experiment.context = 32;
    const auto model = load(experiment);
    if (!model) return model.error();
    auto decoder = Decoder::create(model->experiment, *backend_, model->weights);
    if (!decoder) return decoder.error();
    (*decoder)->keep_outputs(true);
    const GoldenInput input = *read_golden_input(folder_, full_);
    int from = 0;
    for (const int count : pass_lengths(how, input.count)) {
      if (const auto done = feed(**decoder, input, from, count, {}); !done) return done.error();
      from += count;
    }
    bytes_per_token_ = double((*decoder)->executor().cache_rows(0).size()) / input.count;
    return (*decoder)->outputs();
  }

  std::string folder_ = golden_folder("elastic");
  ModelSpec full_ = *read_model_spec(folder_);
  std::unique_ptr<ComputeBackend> backend_ = make_cpu_backend();
  double bytes_per_token_ = 0;
};

TEST_F(ElasticModel, SlicesGiveWhatMasksGaveInTraining) {
  const auto expected = Safetensors::open(folder_ + "/expected.safetensors");
  ASSERT_TRUE(expected) << expected.error().message;
  ASSERT_GE(expected->tensors().size(), 7u);
  for (const TensorView& tensor : expected->tensors()) {
    int latent = 0, rope = 0, heads = 0;
    ASSERT_EQ(std::sscanf(tensor.name.c_str(), "logits-%d-%d-%d", &latent, &rope, &heads), 3);
    const std::vector<float> want = *read_fp32(*expected, tensor.name);
    const auto [low, high] = std::minmax_element(want.begin(), want.end());
    for (const AttentionPath path : paths_of(Variant::mla))
      for (const Feed how : {Feed::one_pass, Feed::mixed}) {
        const auto got = logits(latent, rope, heads, path, how);
        ASSERT_TRUE(got) << got.error().message;
        ASSERT_EQ(got->size(), want.size());
        double worst = 0;
        for (std::size_t i = 0; i < want.size(); ++i) worst = std::max(worst, double(std::abs((*got)[i] - want[i])));
        EXPECT_LT(worst, 2e-5 * (*high - *low)) << tensor.name << " " << name_of(path);
        EXPECT_EQ(bytes_per_token_, latent + rope) << "the cache holds the smaller rows";
      }
  }
}

TEST_F(ElasticModel, SizesBeyondTheFullOneAreRefusedByName) {
  const auto refused = [&](int latent, int rope, int heads, const std::string& field) {
    const auto run = logits(latent, rope, heads, AttentionPath::absorbed, Feed::one_pass);
    ASSERT_FALSE(run);
    EXPECT_NE(run.error().message.find(field), std::string::npos) << run.error().message;
  };
  refused(13, 8, 3, "kv_lora_rank");
  refused(12, 10, 3, "qk_rope_head_dim");
  refused(12, 8, 4, "num_attention_heads");
}

TEST_F(ElasticModel, SettingsMoveTheThreeAndNothingElse) {
  Experiment experiment;
  experiment.model = folder_;
  experiment.spec = full_;
  const auto smaller = apply_all(experiment, {{"kv-lora-rank", "5"}, {"rope-dim", "4"}, {"heads", "2"}});
  ASSERT_TRUE(smaller) << smaller.error().message;
  EXPECT_EQ(smaller->spec.attention.qk_nope_head_dim, full_.attention.qk_nope_head_dim);
  EXPECT_EQ(full_size(smaller->spec), full_);
  EXPECT_TRUE(same_weights(smaller->spec, full_));
  for (const Setting& setting : std::vector<Setting>{{"kv-lora-rank", "13"},
                                                     {"rope-dim", "10"},
                                                     {"heads", "4"},
                                                     {"hidden-size", "48"},
                                                     {"nope-dim", "8"},
                                                     {"variant", "mha"}}) {
    const auto refused = apply(experiment, setting);
    ASSERT_FALSE(refused) << setting.name;
    EXPECT_NE(refused.error().message.find("--" + setting.name), std::string::npos) << refused.error().message;
  }
  const auto back = experiment_from_json(to_json(*smaller), "file");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, *smaller);
}

TEST_F(ElasticModel, TableAndScaleAreThoseOfTheFullSize) {
  ModelSpec smaller = full_;
  smaller.attention.qk_rope_head_dim = 4;
  const std::vector<double> all = rope_frequencies(full_.attention), first = rope_frequencies(smaller.attention);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first, std::vector<double>(all.begin(), all.begin() + 2));
  EXPECT_EQ(score_scale(smaller), score_scale(full_));
}

}  // namespace
}  // namespace mla
