#pragma once

#include <string>
#include <vector>

#include "core/analysis/sweep.h"

namespace mla {

/// Draws the runs into the folder, each as PNG, SVG and PDF: `cache` (values cached against tokens) and `latency` (time per
/// token against tokens), a line for every point.
Status write_sweep_charts(const std::string& folder, const SweepPlan& plan, const std::vector<SweepRun>& runs);

}  // namespace mla
