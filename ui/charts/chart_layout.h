#pragma once

#include <QFont>
#include <QPointF>
#include <QRectF>
#include <QSizeF>
#include <QString>
#include <vector>

#include "ui/charts/curves.h"

namespace mla::ui {

/// One thing in a legend: a series with its sample line, or words.
struct LegendItem {
  int series = -1;  ///< index in ChartData::series; -1: a heading ("by formula:") or a note
  bool area = false;
  QString text;
  QRectF sample;  ///< where the series' line or colour is shown; empty for words
  QRectF label;
};

/// Where everything in a chart of one size stands; nothing overlaps, nothing leaves the rectangle.
struct ChartLayout {
  QSizeF size;
  QFont font, strong, small;
  qreal em = 0;                                      ///< height of a line in `font`
  QRectF headline, caption, plot, x_title, y_title;  ///< empty where there is none; y_title before its turn by 90°
  QString headline_text, caption_text, x_title_text, y_title_text;
  std::vector<LegendItem> legend;
  Range x, y;
  Scale x_scale = Scale::linear, y_scale = Scale::linear;
  Ticks x_ticks, y_ticks;

  QPointF pixel(const QPointF& value) const;  ///< of a point in data units
};

/// Lays a chart out for a size, in the font (larger where the chart is large); a small one first loses its caption, then its
/// legend, so that the plot keeps some room. `corner`: the part of the first line's right
/// end that belongs to somebody else.
ChartLayout arrange(const ChartData& data, ChartKind kind, const QSizeF& size, const QFont& font, qreal corner = 0);

}  // namespace mla::ui
