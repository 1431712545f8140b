#include "ui/charts/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/charts/thinning.h"

namespace mla::ui {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Adds a stacked series to the sum of those before it, value by value.
void addTo(QList<QPointF>& sum, const QList<QPointF>& points) {
  if (sum.isEmpty()) {
    sum = points;
    for (QPointF& p : sum)
      if (std::isnan(p.y())) p.setY(0);
    return;
  }
  const qsizetype count = std::min(sum.size(), points.size());
  for (qsizetype i = 0; i < count; ++i)
    if (!std::isnan(points[i].y())) sum[i].ry() += points[i].y();
}

/// Brings points into the range of the y axis and remembers those above it.
void limit(Curve& curve, Scale scale, Range y) {
  if (scale == Scale::log) curve.points.removeIf([](const QPointF& p) { return p.y() <= 0; });
  for (QPointF& point : curve.points) {
    if (point.y() > y.max) curve.beyond.append(point);
    point.setY(std::clamp(point.y(), y.min, y.max));
  }
}

Range widened(Range range, double fallback) {
  if (!(range.min <= range.max)) return {0, fallback};
  if (range.min == range.max) return {range.min - 0.5, range.max + 0.5};
  return range;
}

void include(Range& range, const QList<QPointF>& points, bool positive_only) {
  for (const QPointF& p : points) {
    if (!std::isfinite(p.y()) || (positive_only && p.y() <= 0)) continue;
    range.min = std::min(range.min, p.y());
    range.max = std::max(range.max, p.y());
  }
}

Range dataRange(const ChartData& data, ChartKind kind) {
  const bool log = data.y.scale == Scale::log;
  Range range{kInfinity, -kInfinity};
  QList<QPointF> sum;
  for (const Series& series : data.series)
    if (kind == ChartKind::stack && series.stacked)
      addTo(sum, series.points);
    else
      include(range, series.points, log);
  include(range, sum, log);
  return range;
}

}  // namespace

Range xRange(const ChartData& data) {
  Range range{kInfinity, -kInfinity};
  const bool log = data.x.scale == Scale::log;
  for (const Series& series : data.series)
    for (const QPointF& p : series.points) {
      if (log && p.x() <= 0) continue;
      range.min = std::min(range.min, p.x());
      range.max = std::max(range.max, p.x());
    }
  if (log) {
    range = {data.x.min.value_or(range.min), data.x.max.value_or(range.max)};
    return range.min > 0 && range.max > range.min && std::isfinite(range.max) ? range : Range{1, 10};
  }
  range = widened(range, 10);
  range.min = data.x.min.value_or(range.min);
  range.max = data.x.max.value_or(range.max);
  return range.max > range.min ? range : Range{range.min, range.min + 1};
}

Range yRange(const ChartData& data, ChartKind kind) {
  Range range = dataRange(data, kind);
  if (data.y.scale == Scale::log) {
    if (!(range.min <= range.max)) range = {1, 10};
    range = {data.y.min.value_or(range.min / 1.3), data.y.max.value_or(range.max * 1.3)};
    return range.min > 0 && range.max > range.min ? range : Range{1, 10};
  }
  if (!(range.min <= range.max)) range = {0, 1};
  range.max = data.y.max.value_or(range.max > 0 ? range.max * 1.06 : 1);
  range.min = data.y.min.value_or(std::min(0.0, range.min * 1.06));
  return range.max > range.min ? range : Range{range.min, range.min + 1};
}

std::vector<Curve> curvesOf(const ChartData& data, ChartKind kind, Range x, Range y, int pixels) {
  std::vector<Curve> curves;
  QList<QPointF> sum;
  for (std::size_t i = 0; i < data.series.size(); ++i) {
    const Series& series = data.series[i];
    Curve curve{int(i), kind == ChartKind::stack && series.stacked, {}, {}};
    if (curve.area) addTo(sum, series.points);
    // Areas are medians, smooth by nature, and every point of theirs is painted in two of them.
    curve.points = curve.area ? thin(sum, x.min, x.max, std::max(1, pixels / 3)) : thin(series.points, x.min, x.max, pixels);
    if (data.x.scale == Scale::log) curve.points.removeIf([](const QPointF& p) { return p.x() <= 0; });
    limit(curve, data.y.scale, y);
    curves.push_back(std::move(curve));
  }
  if (kind == ChartKind::lines) std::reverse(curves.begin(), curves.end());
  return curves;
}

}  // namespace mla::ui
