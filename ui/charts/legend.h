#pragma once

#include <QFont>
#include <QRectF>
#include <vector>

#include "ui/charts/chart_layout.h"

namespace mla::ui {

struct Legend {
  std::vector<LegendItem> items;
  qreal height = 0;
};

/// Lays the legend out in lines from the top of `area` (whose height is not used), series by role, each role under its
/// heading as soon as not all is measured. What finds no room in `rows` lines is counted ("+ 3 more").
Legend arrangeLegend(const ChartData& data, ChartKind kind, const QRectF& area, const QFont& font, int rows);

}  // namespace mla::ui
