#pragma once

#include <QList>
#include <QPointF>
#include <vector>

#include "ui/charts/chart_data.h"
#include "ui/charts/ticks.h"

namespace mla::ui {

/// Lines from values, or areas stacked one upon the other (with lines over them).
enum class ChartKind { lines, stack };

/// What is drawn of one series, in data units.
struct Curve {
  int series = 0;         ///< index in ChartData::series
  bool area = false;      ///< filled down to the area before it
  QList<QPointF> points;  ///< thinned; of an area: its upper edge, the sum of all so far
  QList<QPointF> beyond;  ///< of `points`, those drawn at the edge because they lie above the axis
};

/// The ranges that the axes show: as asked for, otherwise such that all data are in. A linear y axis starts at 0 where
/// nothing is negative; a log one holds the positive values. Never empty.
Range xRange(const ChartData& data);
Range yRange(const ChartData& data, ChartKind kind);

/// The curves of a chart that is `pixels` wide: series that share their x (each stacked one does) summed up, thinned,
/// limited to the y range; values that a log axis can't show are left out. In the order of painting.
std::vector<Curve> curvesOf(const ChartData& data, ChartKind kind, Range x, Range y, int pixels);

}  // namespace mla::ui
