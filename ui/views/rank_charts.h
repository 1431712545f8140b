#pragma once

#include "core/analysis/rank_lens_measure.h"
#include "ui/charts/chart_data.h"

namespace mla::ui {

/// Shares against rank: energy kept and change of the attention maps, means over the layers, the layers' extremes as thin
/// lines.
ChartData rankShares(const RankCurve& curve);

/// Bits per token against rank: KL(full‖truncated), and what the truncated model costs beyond the full one.
ChartData rankBits(const RankCurve& curve);

/// One row a rank: bytes, energy and map change of every layer, bits.
Table rankTable(const RankCurve& curve);

}  // namespace mla::ui
