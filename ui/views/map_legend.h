#pragma once

#include <QPainter>
#include <QRectF>
#include <QString>
#include <vector>

#include "ui/views/color_map.h"

namespace mla::ui {

/// A colour with its meaning, beside the scale.
struct Swatch {
  QRgb fill;
  QRgb hatch;  ///< equal to `fill` where it is plain
  QString text;
};

/// What the colours off the scale mean.
std::vector<Swatch> mapSwatches(const MapColors& colors);

/// Height that paintLegend needs at this width.
double legendHeight(const QFontMetricsF& metrics, double width, const std::vector<Swatch>& swatches);

/// A title, the bar of colours with its ticks and numbers, then the swatches, as many in a line as fit.
void paintLegend(QPainter& painter, const QRectF& rect, const QString& title, const ColorScale& scale,
                 const std::vector<Swatch>& swatches, const MapColors& colors);

}  // namespace mla::ui
