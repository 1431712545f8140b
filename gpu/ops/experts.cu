#include "gpu/ops/experts.h"

#include <algorithm>

#include "gpu/kernels/experts.cuh"
#include "gpu/kernels/routing.cuh"

namespace mla::gpu {

std::int64_t routing_scratch(const MoeSpec& moe, int rows) { return std::int64_t(rows) * 3 * moe.n_routed_experts; }

void route_rows(Stream& stream, const MoeSpec& moe, const float* logits, const float* bias, int rows, double* scratch,
                const Routes& routes) {
  launch<RouteRows>(stream, {rows},
                    {logits, bias, scratch, routes.expert, routes.weight, moe.n_routed_experts, moe.num_experts_per_tok,
                     moe.has_groups() ? moe.n_group : 0, moe.topk_group, moe.scoring_func == ScoringFunc::sigmoid,
                     moe.norm_topk_prob, moe.routed_scaling_factor});
}

int most_visit_tiles(const MoeSpec& moe, int rows) {
  const int visits = rows * moe.num_experts_per_tok;
  return visits / kVisitTile + std::min(visits, moe.n_routed_experts);
}

void sort_visits(Stream& stream, const MoeSpec& moe, const Routes& routes, int rows, const VisitOrder& order) {
  launch<SortVisits>(stream, {1},
                     {routes.expert, order.order, order.tiles, order.touched, rows * moe.num_experts_per_tok,
                      moe.n_routed_experts, most_visit_tiles(moe, rows)},
                     SortVisits::kShared);
}

void multiply_visits(Stream& stream, const ExpertProduct& p) {
  with_type(p.shape.type, [&](auto type) {
    using Kernel = ExpertMatVec<type()>;
    launch<Kernel>(stream, {blocks_for(p.shape.rows, Kernel::kBlockRows), p.visits}, p);
  });
}

void multiply_tiles(Stream& stream, const ExpertProduct& p, const VisitOrder& order, int tiles) {
  with_type(p.shape.type, [&](auto type) {
    using Kernel = ExpertTiles<type()>;
    launch<Kernel>(stream, {blocks_for(p.shape.rows, kVisitTile), tiles}, {p, order}, Kernel::Tile::kShared);
  });
}

void sum_experts(Stream& stream, const ExpertSum& s) {
  launch<SumExperts>(stream, {s.rows, blocks_for(s.width, SumExperts::kThreads)}, s);
}

}  // namespace mla::gpu
