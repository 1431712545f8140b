#pragma once

#include <QFontMetricsF>
#include <QPainter>
#include <QRectF>

#include "core/analysis/comparison.h"
#include "ui/views/color_map.h"

namespace mla::ui {

/// Height of the table at that font.
double compareTableHeight(const QFontMetricsF& metrics, const Comparison& comparison);

/// Paints the quantities of both experiments, their difference and their ratio, one a line.
void paintCompareTable(QPainter& painter, const QRectF& rect, const Comparison& comparison, const MapColors& colors);

}  // namespace mla::ui
