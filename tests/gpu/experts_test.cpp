#include "gpu/ops/experts.h"

#include <algorithm>

#include "core/model/routing.h"
#include "tests/core/engine/engine_run.h"
#include "tests/gpu/device_test.h"

namespace mla::gpu::testing {
namespace {

using ExpertsTest = DeviceTest;

struct Routed {
  Array<int> expert;
  Array<float> weight;
  Array<double> scratch;
  Routes routes() const { return {expert.data(), weight.data()}; }
};

Routed route(Stream& stream, const MoeSpec& moe, const std::vector<float>& logits, const std::vector<float>& bias,
             int rows) {
  const std::size_t visits = std::size_t(rows) * moe.num_experts_per_tok;
  Routed routed{Array<int>(visits), Array<float>(visits), Array<double>(std::size_t(routing_scratch(moe, rows)))};
  const auto in = to_device(stream, logits), added = to_device(stream, bias);
  route_rows(stream, moe, in.data(), moe.has_bias() ? added.data() : nullptr, rows, routed.scratch.data(), routed.routes());
  stream.synchronize();
  return routed;
}

TEST_F(ExpertsTest, TheChosenAndTheirWeightsAreTheCpus) {
  Stream stream;
  std::mt19937 rng(5);
  for (int trial = 0; trial < 40; ++trial) {
    MoeSpec moe = random_experts(rng);
    if (trial % 4 == 0) {
      moe.n_routed_experts = 32 * moe.n_group + moe.n_group;
      moe.num_experts_per_tok = 7;
    }
    const int rows = 5, experts = moe.n_routed_experts;
    std::vector<float> logits = normal(std::size_t(rows) * experts, rng(), 3);
    if (trial % 3 == 0) std::fill_n(logits.begin(), experts, 0.5f);  // all equal: the first are chosen
    if (trial % 5 == 0) std::fill_n(logits.begin() + experts, experts, NAN);
    const std::vector<float> bias = normal(std::size_t(experts), rng(), 0.1f);
    const Routed routed = route(stream, moe, logits, bias, rows);
    const auto got = to_host(stream, routed.expert);
    const auto weights = to_host(stream, routed.weight);
    for (int r = 0; r < rows; ++r) {
      const auto want = mla::route(moe, std::span(logits).subspan(std::size_t(r) * experts, std::size_t(experts)),
                                   moe.has_bias() ? bias.data() : nullptr);
      for (std::size_t i = 0; i < want.size(); ++i) {
        ASSERT_EQ(got[std::size_t(r) * want.size() + i], want[i].expert) << "trial " << trial << " row " << r;
        const float weight = weights[std::size_t(r) * want.size() + i];
        EXPECT_EQ(std::isnan(weight), std::isnan(want[i].weight));
        if (std::isnan(weight)) continue;
        EXPECT_NEAR(weight, want[i].weight, 1e-6 * moe.routed_scaling_factor);
      }
    }
  }
}

TEST_F(ExpertsTest, VisitsAreSortedByExpertInTilesThatMissNone) {
  Stream stream;
  MoeSpec moe;
  moe.n_routed_experts = 5;
  moe.num_experts_per_tok = 2;
  const int rows = 80, visits = 160;
  std::vector<int> expert;
  for (int i = 0; i < rows; ++i) {
    expert.push_back(i % 10 == 0 ? 2 : 0);
    expert.push_back(4);
  }
  const auto on_device = to_device(stream, expert);
  Array<int> order(visits), touched(1);
  Array<VisitTile> tiles(std::size_t(most_visit_tiles(moe, rows)));
  sort_visits(stream, moe, {on_device.data(), nullptr}, rows, {order.data(), tiles.data(), touched.data()});
  EXPECT_EQ(to_host(stream, touched)[0], 3);
  const auto sorted = to_host(stream, order);
  int covered = 0;
  for (const VisitTile& tile : to_host(stream, tiles)) {
    EXPECT_LE(tile.count, kVisitTile);
    for (int i = 0; i < tile.count; ++i) {
      EXPECT_EQ(expert[std::size_t(sorted[std::size_t(tile.first + i)])], tile.expert);
      if (i == 0) continue;
      EXPECT_LT(sorted[std::size_t(tile.first + i - 1)], sorted[std::size_t(tile.first + i)]);
    }
    EXPECT_TRUE(tile.count == 0 || tile.first == covered);
    covered += tile.count;
  }
  EXPECT_EQ(covered, visits);
}

}  // namespace
}  // namespace mla::gpu::testing
