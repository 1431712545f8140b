#include "ui/views/map_legend.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <algorithm>

namespace mla::ui {
namespace {

constexpr double kBar = 12;  // height of the bar of colours
constexpr double kGap = 4;

double swatchWidth(const QFontMetricsF& metrics, const Swatch& swatch) {
  return metrics.height() + kGap + metrics.horizontalAdvance(swatch.text) + 3 * kGap;
}

void paintBar(QPainter& painter, const QRectF& bar, const ColorScale& scale, const MapColors& colors) {
  constexpr int steps = 128;
  for (int i = 0; i < steps; ++i) {
    const double from = bar.left() + bar.width() * i / steps, to = bar.left() + bar.width() * (i + 1) / steps;
    // Each step reaches under the next, so that no seam shows in a vector viewer.
    painter.fillRect(QRectF(from, bar.top(), std::min(to + 0.5, bar.right()) - from, bar.height()),
                     QColor(scale.colorAt((i + 0.5) / steps)));
  }
  painter.setPen(QPen(colors.frame, 1));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(bar);
}

void paintTicks(QPainter& painter, const QRectF& bar, const ColorScale& scale, const MapColors& colors) {
  const QFontMetricsF metrics(painter.font());
  double free = bar.left() - metrics.height();  // labels that would run into the one before are left out
  for (const ColorTick& tick : scale.ticks()) {
    const double x = bar.left() + tick.position * bar.width(), width = metrics.horizontalAdvance(tick.label);
    painter.setPen(QPen(colors.text, 1));
    painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + 3));
    const double left = std::clamp(x - width / 2, bar.left() - 2, std::max(bar.left(), bar.right() - width + 2));
    if (left < free) continue;
    painter.drawText(QPointF(left, bar.bottom() + 3 + metrics.ascent()), tick.label);
    free = left + width + kGap;
  }
}

void paintSwatch(QPainter& painter, const QRectF& box, const Swatch& swatch, const MapColors& colors) {
  painter.fillRect(box, QColor(swatch.fill));
  painter.setPen(QPen(QColor(swatch.hatch), 1.5));
  for (double x = box.left() + 2; swatch.hatch != swatch.fill && x < box.right() + box.height(); x += 4) {
    // Cut by hand: QSvgGenerator knows no clipping.
    const double over = std::max(0.0, x - box.right()), under = std::max(0.0, box.left() - (x - box.height()));
    painter.drawLine(QPointF(x - over, box.top() + over), QPointF(x - box.height() + under, box.bottom() - under));
  }
  painter.setPen(QPen(colors.frame, 1));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(box);
}

/// Where each swatch starts, below (0, 0).
std::vector<QPointF> arrange(const QFontMetricsF& metrics, double width, const std::vector<Swatch>& swatches) {
  std::vector<QPointF> places;
  QPointF at(0, 0);
  for (const Swatch& swatch : swatches) {
    const double wide = swatchWidth(metrics, swatch);
    if (at.x() > 0 && at.x() + wide > width + 3 * kGap) at = QPointF(0, at.y() + metrics.height() + kGap);
    places.push_back(at);
    at.rx() += wide;
  }
  return places;
}

}  // namespace

std::vector<Swatch> mapSwatches(const MapColors& colors) {
  return {{colors.above, colors.above, QCoreApplication::translate("mla::ui::Legend", "above the diagonal (later keys)")},
          {colors.missing, colors.missingInk, QCoreApplication::translate("mla::ui::Legend", "not recorded")}};
}

double legendHeight(const QFontMetricsF& metrics, double width, const std::vector<Swatch>& swatches) {
  const double scale = 2 * metrics.height() + kBar + 2 * kGap;
  return swatches.empty() ? scale : scale + arrange(metrics, width, swatches).back().y() + metrics.height() + 2 * kGap;
}

void paintLegend(QPainter& painter, const QRectF& rect, const QString& title, const ColorScale& scale,
                 const std::vector<Swatch>& swatches, const MapColors& colors) {
  const QFontMetricsF metrics(painter.font());
  painter.save();
  painter.setPen(colors.text);
  painter.drawText(QPointF(rect.left(), rect.top() + metrics.ascent()),
                   metrics.elidedText(title, Qt::ElideRight, rect.width()));
  const QRectF bar(rect.left() + 2, rect.top() + metrics.height() + kGap, std::min(rect.width() - 4, 420.0), kBar);
  paintBar(painter, bar, scale, colors);
  paintTicks(painter, bar, scale, colors);

  const double top = bar.bottom() + metrics.height() + 2 * kGap;
  const std::vector<QPointF> places = arrange(metrics, rect.width(), swatches);
  for (std::size_t i = 0; i < swatches.size(); ++i) {
    const QPointF at(rect.left() + 2 + places[i].x(), top + places[i].y());
    const double side = metrics.height() - 3;
    paintSwatch(painter, {at.x(), at.y() + 1, side, side}, swatches[i], colors);
    painter.setPen(colors.text);
    painter.drawText(QPointF(at.x() + side + 2 * kGap, at.y() + metrics.ascent()),
                     metrics.elidedText(swatches[i].text, Qt::ElideRight, rect.right() - at.x() - side - 2 * kGap));
  }
  painter.restore();
}

}  // namespace mla::ui
