#pragma once

#include <QPainter>
#include <QPalette>
#include <memory>
#include <optional>
#include <vector>

#include "ui/charts/chart_layout.h"
#include "ui/charts/plot.h"

namespace mla::ui {

/// A point that a person looks at.
struct Mark {
  int series = 0;  ///< index in ChartData::series
  QPointF value;   ///< exact: as the series has it, not summed up, not cut off
  QPointF pixel;   ///< where it is drawn
  QString text;    ///< name and exact numbers, two lines
};

/// A chart at one size: lays it out, paints it as vectors, and knows what lies under a point.
class ChartPicture {
 public:
  ChartPicture(ChartKind kind) : kind_(kind) {}

  void show(const ChartData& data, const QSizeF& size, const QFont& font, const QPalette& palette, qreal corner = 0);
  void paint(QPainter& painter);

  const ChartLayout& layout() const { return layout_; }
  const std::vector<Curve>& curves() const { return curves_; }

  /// The drawn point that is nearest to a position in the plot, of an area the one at its x; none where nothing is drawn.
  std::optional<Mark> nearest(const QPointF& position) const;
  /// The drawn point `points` further along the mark's series, or the point at its x of the series `series` further down.
  std::optional<Mark> moved(const Mark& mark, int points, int series) const;
  /// A crosshair and a label beside the mark.
  void paintMark(QPainter& painter, const Mark& mark) const;

 private:
  Mark markOf(const Curve& curve, const QPointF& drawn) const;

  ChartKind kind_;
  ChartData data_;
  QPalette palette_;
  ChartLayout layout_;
  std::vector<Curve> curves_;
  Plot plot_;
};

}  // namespace mla::ui
