#include "gpu/ops/prefill_matrix.h"

#include <iterator>

#include "gpu/kernels/prefill_matrix.cuh"

namespace mla::gpu {
namespace {

template <class Products, int kTile>
void launch_tile(Stream& stream, const PrefillPlan& plan, const Prefill& p) {
  using Kernel = PrefillMatrix<Products, kTile>;
  const PrefillShared shared(Kernel::kSize, p.problem, values_in_keys(p.problem), plan.stages);
  launch<Kernel>(stream, {p.tiles(Kernel::kRows), p.problem.layout.kv_heads, p.problem.batch}, {p, shared, plan.stages},
                 std::size_t(shared.bytes));
}

template <class Products>
void launch_products(Stream& stream, const PrefillPlan& plan, const Prefill& p) {
  static_assert(std::size(kPrefillTiles) == 4);
  switch (plan.tile) {
    case 0:
      return launch_tile<Products, 0>(stream, plan, p);
    case 1:
      return launch_tile<Products, 1>(stream, plan, p);
    case 2:
      return launch_tile<Products, 2>(stream, plan, p);
    default:
      return launch_tile<Products, 3>(stream, plan, p);
  }
}

}  // namespace

void prefill_matrix(Stream& stream, const PrefillPlan& plan, const Prefill& p) {
  switch (p.problem.cache.row.dtype) {
    case CacheDtype::bf16:
      return launch_products<Bf16Products>(stream, plan, p);
    case CacheDtype::fp16:
      return launch_products<Fp16Products>(stream, plan, p);
    default:
      return launch_products<ScaledProducts>(stream, plan, p);
  }
}

}  // namespace mla::gpu
