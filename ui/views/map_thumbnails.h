#pragma once

#include <QImage>
#include <QRectF>
#include <QSizeF>

#include "core/analysis/pooled_map.h"
#include "ui/views/color_map.h"

namespace mla::ui {

/// Equal square tiles with a label above each, in reading order.
struct TileLayout {
  int count = 0, columns = 1;
  double tile = 0, label = 0, gap = 0;

  QRectF tileRect(int index) const;   ///< the square
  QRectF labelRect(int index) const;  ///< the line above it
  int tileAt(QPointF point) const;    ///< -1 beside the tiles
  double width() const { return columns * (tile + gap) - gap; }
  double height() const;
};

/// The largest tiles with which all fit into `room`; where they would be smaller than `smallest`, tiles of that size in
/// as many columns as fit, taller than `room` in all.
TileLayout arrangeTiles(const QSizeF& room, int count, double label, double smallest);

/// One head's map, at most `pixels` on a side: where it holds more cells than that, the largest of those that share a pixel.
/// Starts at the first recorded query, as the large map does.
QImage thumbnailOf(const PooledMaps& maps, int head, int pixels, const ColorScale& scale, const MapColors& colors);

/// Brings a thumbnail up to date after rows were added to the cells of the newest queries only.
void repaintNewest(QImage& image, const PooledMaps& maps, int head, int pixels, const ColorScale& scale,
                   const MapColors& colors);

/// Largest magnitude over all heads.
double largestOf(const PooledMaps& maps);

}  // namespace mla::ui
