#pragma once

#include "core/analysis/crossover.h"
#include "ui/charts/chart_data.h"

namespace mla::ui {

/// Milliseconds of the three paths, measured and modelled, with the crossings marked and the answer above.
ChartData crossoverTimes(const Crossover& crossover, SweepKind kind);

/// Measured over modelled, of every point.
ChartData crossoverResiduals(const Crossover& crossover, SweepKind kind);

/// Every point of all sweeps, then their crossings: measured, then modelled.
Table crossoverTable(const Crossover& crossover);

}  // namespace mla::ui
