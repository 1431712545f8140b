// Attention rows of steps on their way to the host: beside the next step, and none is lost.
#include "core/engine/decoder.h"
#include "tests/gpu/engine_pair.h"
#include "tests/gpu/shim/shim.h"

namespace mla::gpu::testing {
namespace {

constexpr TraceRequest kLater{TraceRequest::Layers::all, 0, true};

class StepRowsTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    std::mt19937 rng(17);
    experiment_ = random_small(Variant::mla, rng);
    experiment_.context = 40;
    const auto model = load(experiment_);
    ASSERT_TRUE(model) << model.error().message;
    weights_ = model->weights;
  }

  std::unique_ptr<Decoder> decoder() {
    auto made = Decoder::create(experiment_, *backend_, weights_);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  std::unique_ptr<ComputeBackend> backend_ = make_cuda_backend();
  Experiment experiment_;
  std::shared_ptr<const ModelWeights> weights_;
};

void append(AttentionRows& rows, const AttentionRows& more) { rows.insert(rows.end(), more.begin(), more.end()); }

void expect_same_bits(const AttentionRows& got, const AttentionRows& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(got[i]->layer, want[i]->layer);
    EXPECT_EQ(got[i]->query, want[i]->query);
    EXPECT_EQ(got[i]->weights, want[i]->weights);
    EXPECT_EQ(got[i]->scores_nope, want[i]->scores_nope);
    EXPECT_EQ(got[i]->scores_rope, want[i]->scores_rope);
  }
}

TEST_F(StepRowsTest, AreCopiedWhileTheNextStepRuns) {
  constexpr int kSteps = 9;  // some launched, some captured
  const std::size_t layers = std::size_t(experiment_.layers);
  AttentionRows got, want;
  const auto late = decoder(), whole = decoder();
  for (int i = 0; i < kSteps; ++i) {
    shim::launches_beside_copies();
    const auto step = late->step(kLater);
    ASSERT_TRUE(step) << step.error().message;
    EXPECT_EQ(step->attention.size(), i == 0 ? 0 : layers) << "those of the step before";
    EXPECT_EQ(shim::launches_beside_copies() > 0, i > 0);
    append(got, step->attention);
    const auto same = whole->step(kTraceAll);
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ(same->attention.size(), layers);
    append(want, same->attention);
  }
  const auto rest = late->late_rows();
  ASSERT_TRUE(rest) << rest.error().message;
  EXPECT_EQ(rest->size(), layers);
  append(got, *rest);
  EXPECT_TRUE(late->late_rows()->empty());
  expect_same_bits(got, want);
}

TEST_F(StepRowsTest, ComeBeforeThoseOfAPassAndAreForgottenWithTheRest) {
  const auto run = decoder();
  ASSERT_TRUE(run->step(kLater));
  const std::vector<int> tokens{1, 2, 3};
  const auto pass = run->prefill(tokens, kTraceAll);
  ASSERT_TRUE(pass) << pass.error().message;
  ASSERT_EQ(pass->attention.size(), 4 * std::size_t(experiment_.layers));
  EXPECT_EQ(pass->attention.front()->query, 0);
  EXPECT_EQ(pass->attention.back()->query, 3);

  auto executor = backend_->create(experiment_, weights_);
  ASSERT_TRUE(executor) << executor.error().message;
  const int token = 1;
  const ForwardInput input{.tokens = {&token, 1}, .hidden = {}, .count = 1, .trace = kLater, .draws = {}, .stop = {}};
  ASSERT_TRUE((*executor)->forward(input));
  (*executor)->reset();
  EXPECT_TRUE((*executor)->late_rows()->empty());
  ASSERT_TRUE((*executor)->forward(input));  // and goes away with rows on their way
}

}  // namespace
}  // namespace mla::gpu::testing
