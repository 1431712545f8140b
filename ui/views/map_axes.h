#pragma once

#include <QPainter>
#include <QRectF>

#include "ui/views/map_layout.h"

namespace mla::ui {

struct MapColors;
struct MapScene;
struct MapSource;

/// What the labels of the keys in sight need.
KeyLabels keyLabels(const MapSource& source, const QRectF& window, const QFontMetricsF& metrics);

/// Labels of queries and keys (their texts where there is room for each, round indices otherwise) and the titles of both
/// axes.
void paintAxes(QPainter& painter, const MapLayout& layout, const MapColors& colors, const MapSource& source,
               const QRectF& window);

/// Bars: each query's sum on the right, each key's above; where several tokens share a pixel, the largest magnitude. Says
/// what the sums are.
void paintSums(QPainter& painter, const MapLayout& layout, const MapColors& colors, const MapScene& scene);

}  // namespace mla::ui
