#pragma once

#include <QPainter>
#include <QPalette>

#include "ui/charts/chart_layout.h"

namespace mla::ui {

/// Everything of a chart that stands behind its curves: background, headline, legend, grid, labels, titles, caption.
void paintFrame(QPainter& painter, const ChartData& data, const ChartLayout& layout, const QPalette& palette);

/// What stands before them: markers, dots on measured points where these are few and on the newest, triangles where a point
/// lies above the axis, and the words of an empty chart.
void paintFront(QPainter& painter, const ChartData& data, const ChartLayout& layout, const std::vector<Curve>& curves,
                const QPalette& palette);

}  // namespace mla::ui
