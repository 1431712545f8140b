#pragma once

#include <QFontMetricsF>
#include <QImage>
#include <QPainter>
#include <QRectF>
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "ui/views/color_map.h"

namespace mla::ui {

/// A pair of tokens that attends: the key is at most the query.
struct TriangleCell {
  int query = 0, key = 0;
  bool operator==(const TriangleCell&) const = default;
};

/// A map [tokens, tokens] of which the lower triangle has values, one pixel a square of 2^level cells: its value of largest
/// magnitude. `value(query, key)` gives the cells.
template <class Value>
QImage triangleImage(int tokens, int level, const ColorScale& scale, const MapColors& colors, const Value& value) {
  const int side = (tokens + (1 << level) - 1) >> level;
  QImage image(side, side, QImage::Format_RGB32);
  std::vector<double> largest(std::size_t(side), 0);
  for (int row = 0; row < side; ++row) {
    std::fill(largest.begin(), largest.end(), 0.0);
    for (int query = row << level; query < std::min((row + 1) << level, tokens); ++query)
      for (int key = 0; key <= query; ++key) {
        double& cell = largest[std::size_t(key >> level)];
        const double here = value(query, key);
        if (std::abs(here) > std::abs(cell)) cell = here;
      }
    auto* line = reinterpret_cast<QRgb*>(image.scanLine(row));
    for (int column = 0; column < side; ++column)
      line[column] = column > row ? colors.above : scale.color(largest[std::size_t(column)]);
  }
  return image;
}

/// Paints such an image into a square, with a frame and what the axes are on the line below. `level` is the image's.
void paintTriangle(QPainter& painter, const QRectF& map, const QImage& image, int tokens, int level,
                   const MapColors& colors);

/// The cell under a point, where there is one that attends.
std::optional<TriangleCell> triangleCellAt(const QPointF& point, const QRectF& map, int tokens);

/// Where that cell lies.
QRectF triangleCellRect(const TriangleCell& cell, const QRectF& map, int tokens);

/// A sentence in the middle, where there is no map.
void paintMessage(QPainter& painter, const QRectF& rect, const QString& message, const MapColors& colors);

}  // namespace mla::ui
