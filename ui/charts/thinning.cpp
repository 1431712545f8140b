#include "ui/charts/thinning.h"

#include <algorithm>
#include <cmath>

namespace mla::ui {
namespace {

/// Lowest and highest point of the pixel column being filled.
struct Column {
  int index = -1;
  QPointF low, high;

  void add(const QPointF& point) {
    if (point.y() < low.y()) low = point;
    if (point.y() > high.y()) high = point;
  }
  void flush(QList<QPointF>& out) const {
    if (index < 0) return;
    const bool low_first = low.x() <= high.x();
    out.append(low_first ? low : high);
    if (low != high) out.append(low_first ? high : low);
  }
};

}  // namespace

QList<QPointF> thin(const QList<QPointF>& points, double x_min, double x_max, int pixels) {
  QList<QPointF> kept;
  kept.reserve(std::min<qsizetype>(points.size(), 2 * pixels + 4));
  const bool all = points.size() <= 2 * pixels;
  const double per_x = x_max > x_min ? pixels / (x_max - x_min) : 0;
  Column column;
  QPointF last;
  for (const QPointF& point : points) {
    if (std::isnan(point.x()) || std::isnan(point.y()) || point.x() < x_min || point.x() > x_max) continue;
    last = point;
    if (all || kept.isEmpty()) {
      kept.append(point);
      continue;
    }
    const int index = int((point.x() - x_min) * per_x);
    if (index != column.index) {
      column.flush(kept);
      column = {index, point, point};
    }
    column.add(point);
  }
  column.flush(kept);
  if (!kept.isEmpty() && kept.back() != last) kept.append(last);
  return kept;
}

}  // namespace mla::ui
