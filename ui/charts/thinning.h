#pragma once

#include <QList>
#include <QPointF>

namespace mla::ui {

/// The points worth drawing on `pixels` columns over [x_min, x_max]: of each column the lowest and the highest, in their
/// order, besides the very first and last; so no spike is lost. Points with a NaN or beyond the range are skipped; a list
/// that is short enough already passes otherwise unchanged. `points` are ordered by ascending x.
QList<QPointF> thin(const QList<QPointF>& points, double x_min, double x_max, int pixels);

}  // namespace mla::ui
