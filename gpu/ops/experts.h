#pragma once

#include "core/spec/model_spec.h"
#include "gpu/ops/matrix.h"
#include "gpu/ops/norm.h"
#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// Rows of a visit's tile, of the experts that many rows are routed to.
inline constexpr int kVisitTile = 64;

/// The experts of each row and their weights: device [rows, num_experts_per_tok], in the order of their ids. Visit
/// row · num_experts_per_tok + i is the row's i-th.
struct Routes {
  int* expert = nullptr;
  float* weight = nullptr;
};

/// As core/model/routing.h chooses, from the router's logits [rows, n_routed_experts]. `scratch`: routing_scratch values.
std::int64_t routing_scratch(const MoeSpec& moe, int rows);
void route_rows(Stream& stream, const MoeSpec& moe, const float* logits, const float* bias, int rows, double* scratch,
                const Routes& routes);

/// Some neighbouring places of VisitOrder::order, all of one expert; count 0: none.
struct VisitTile {
  int expert = 0, first = 0, count = 0;
};

/// Visits by expert, in the order of rows; in device memory.
struct VisitOrder {
  int* order = nullptr;        ///< [visits]
  VisitTile* tiles = nullptr;  ///< [most_visit_tiles]
  int* touched = nullptr;      ///< [1]: experts that have a visit
};
int most_visit_tiles(const MoeSpec& moe, int rows);
void sort_visits(Stream& stream, const MoeSpec& moe, const Routes& routes, int rows, const VisitOrder& order);

/// y[visit] = x[visit / share] W^T with the matrix of the visit's expert.
struct ExpertProduct {
  const Matrix* experts = nullptr;  ///< device [n_routed_experts], all of the type and shape of …
  Matrix shape;
  const int* expert = nullptr;  ///< device [visits]
  int visits = 0, share = 1;
  Rows x, y;
};
/// Visit by visit, where they are few.
void multiply_visits(Stream& stream, const ExpertProduct& product);
/// Expert by expert, `tiles` of them.
void multiply_tiles(Stream& stream, const ExpertProduct& product, const VisitOrder& order, int tiles);

/// out[rows, d] = the sum of what each row's experts made [visits, d], times their weights, plus `shared` [rows, d] or null.
struct ExpertSum {
  const float* made = nullptr;
  const float* weight = nullptr;
  const float* shared = nullptr;
  float* out = nullptr;
  int rows = 0, top_k = 1, width = 0;
};
void sum_experts(Stream& stream, const ExpertSum& sum);

}  // namespace mla::gpu
