#pragma once

#include <QPainter>
#include <QPalette>
#include <QRectF>
#include <memory>
#include <vector>

#include "ui/charts/curves.h"

namespace mla::ui {

/// The curves inside the axes, drawn by Qt Charts; the only file that knows of it.
class Plot {
 public:
  Plot();
  ~Plot();

  /// Replaces what is shown: each curve's points at once, each axis range once. `em`: height of the text, which the widths
  /// of lines follow.
  void show(const ChartData& data, const std::vector<Curve>& curves, Range x, Range y, const QRectF& area,
            const QPalette& palette, qreal em);
  /// Paints into the area given to show(), as vectors.
  void paint(QPainter& painter);

 private:
  struct Private;
  std::unique_ptr<Private> d_;
};

/// The pen of a series in every chart and legend: dashed unless it was measured.
QPen penOf(const Series& series, const QPalette& palette, qreal em);

}  // namespace mla::ui
