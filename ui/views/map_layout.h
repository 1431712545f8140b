#pragma once

#include <QFontMetricsF>
#include <QPointF>
#include <QRectF>
#include <QSizeF>

namespace mla::ui {

/// Where the parts of a large map lie. What has no room is left empty, the map itself last of all.
struct MapLayout {
  QRectF title;
  QRectF plot;         ///< the map
  QRectF queryLabels;  ///< left of it
  QRectF keyLabels;    ///< below it, the axis title in its last line
  QRectF rowSums;      ///< right of it
  QRectF columnSums;   ///< above it
  QRectF legend;
  QRectF readout;

  /// Token coordinates (x keys, y queries) of a point in the plot and back, when `window` is in sight.
  QPointF tokenAt(QPointF point, const QRectF& window) const;
  QRectF rectOf(const QRectF& tokens, const QRectF& window) const;
};

/// What the labels of the keys need.
struct KeyLabels {
  double widest = 0;  ///< pixels of the longest text in sight
  double count = 1;   ///< keys in sight
  /// Whether there is room for each key's text, and whether it has to stand upright for that.
  bool texts(double pixels, double line) const { return pixels / count >= 0.9 * line; }
  bool upright(double pixels, double line) const { return texts(pixels, line) && widest + 2 > pixels / count; }
};

/// Wide panes have legend and readout on the right, others below.
MapLayout layoutMap(const QSizeF& size, const QFontMetricsF& metrics, const KeyLabels& keys);

}  // namespace mla::ui
