#include "gpu/ops/experts.h"

#include <algorithm>

#include "gpu/kernels/experts.cuh"
#include "gpu/kernels/routing.cuh"

namespace mla::gpu {
namespace {

int parts(int length, int part) { return (length + part - 1) / part; }

/// Calls `body` with the type as a constant.
template <class Body>
void with_type(WeightType type, Body body) {
  switch (type) {
    case WeightType::fp32:
      return body(std::integral_constant<WeightType, WeightType::fp32>{});
    case WeightType::bf16:
      return body(std::integral_constant<WeightType, WeightType::bf16>{});
    case WeightType::int8:
      return body(std::integral_constant<WeightType, WeightType::int8>{});
  }
}

}  // namespace

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
    launch<ExpertMatVec<type()>>(
        stream, {parts(p.shape.rows, 8), p.visits},
        {p.experts, p.expert, p.x.data, p.y.data, p.x.stride, p.y.stride, p.shape.rows, p.shape.cols, p.share});
  });
}

void multiply_tiles(Stream& stream, const ExpertProduct& p, const VisitOrder& order, int tiles) {
  with_type(p.shape.type, [&](auto type) {
    using Kernel = ExpertTiles<type()>;
    launch<Kernel>(stream, {parts(p.shape.rows, kVisitTile), tiles},
                   {p.experts, order.order, order.tiles, p.x.data, p.y.data, p.x.stride, p.y.stride, p.share},
                   Kernel::Tile::kShared);
  });
}

void sum_experts(Stream& stream, const ExpertSum& s) {
  launch<SumExperts>(stream, {s.rows, parts(s.width, SumExperts::kThreads)},
                     {s.made, s.weight, s.shared, s.out, s.top_k, s.width});
}

}  // namespace mla::gpu
