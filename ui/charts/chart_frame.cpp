#include "ui/charts/chart_frame.h"

#include <QPolygonF>
#include <algorithm>
#include <cmath>

#include "ui/charts/chart_markers.h"
#include "ui/charts/plot.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

constexpr int kFewPoints = 24;

void paintLegend(QPainter& painter, const ChartData& data, const ChartLayout& layout, const QPalette& palette) {
  painter.setFont(layout.small);
  for (const LegendItem& item : layout.legend) {
    const bool words = item.series < 0;
    if (!words) {
      const QPen pen = penOf(data.series[std::size_t(item.series)], palette, layout.em);
      const qreal middle = std::round(item.sample.center().y()) + 0.5;
      if (item.area) {
        painter.fillRect(item.sample.adjusted(0, 0.2 * item.sample.height(), 0, -0.15 * item.sample.height()), pen.color());
      } else {
        painter.setPen(pen);
        painter.drawLine(QPointF(item.sample.left(), middle), QPointF(item.sample.right(), middle));
      }
    }
    painter.setPen(words ? mutedText(palette) : palette.color(QPalette::Text));
    painter.drawText(item.label.adjusted(0, 0, 4, 0), Qt::AlignLeft | Qt::AlignVCenter | Qt::TextDontClip, item.text);
  }
}

void paintGrid(QPainter& painter, const ChartLayout& layout, const QPalette& palette) {
  const QRectF& plot = layout.plot;
  const QFontMetricsF metrics(layout.small);
  const qreal line = metrics.height();
  painter.setFont(layout.small);
  for (const Tick& tick : layout.y_ticks.ticks) {
    const qreal y = std::round(layout.pixel({layout.x.min, tick.value}).y()) + 0.5;
    painter.setPen(QPen(gridLine(palette), 1));
    painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y));
    painter.setPen(mutedText(palette));
    painter.drawText(QRectF(0, y - line / 2, plot.left() - 0.35 * line, line),
                     Qt::AlignRight | Qt::AlignVCenter | Qt::TextDontClip, tick.label);
  }
  for (const Tick& tick : layout.x_ticks.ticks) {
    const qreal x = std::round(layout.pixel({tick.value, layout.y.min}).x()) + 0.5;
    painter.setPen(QPen(gridLine(palette), 1));
    painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()));
    painter.setPen(mutedText(palette));
    painter.drawText(QRectF(x - 200, plot.bottom() + 0.2 * line, 400, line), Qt::AlignHCenter | Qt::AlignTop, tick.label);
  }
  painter.setPen(QPen(blend(palette.color(QPalette::Base), palette.color(QPalette::Text), 0.45), 1));
  painter.drawLine(plot.bottomLeft() + QPointF(0, 0.5), plot.bottomRight() + QPointF(0, 0.5));
}

void paintTitles(QPainter& painter, const ChartLayout& layout, const QPalette& palette) {
  painter.setFont(layout.small);
  painter.setPen(mutedText(palette));
  painter.drawText(layout.x_title, Qt::AlignHCenter | Qt::AlignTop | Qt::TextDontClip, layout.x_title_text);
  painter.save();
  painter.translate(layout.y_title.left(), layout.y_title.bottom());
  painter.rotate(-90);
  painter.drawText(QRectF(0, 0, layout.y_title.height(), layout.y_title.width()),
                   Qt::AlignHCenter | Qt::AlignTop | Qt::TextDontClip, layout.y_title_text);
  painter.restore();
  painter.drawText(layout.caption, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap | Qt::TextDontClip, layout.caption_text);
}

void paintDots(QPainter& painter, const Curve& curve, const QColor& color, const ChartLayout& layout) {
  painter.setPen(Qt::NoPen);
  painter.setBrush(color);
  const qreal radius = 0.2 * layout.em;
  const auto above = [&](const QPointF& point) {
    return std::any_of(curve.beyond.begin(), curve.beyond.end(), [&](const QPointF& b) { return b.x() == point.x(); });
  };
  const bool all = curve.points.size() <= kFewPoints;
  for (const QPointF& point : all ? curve.points : QList<QPointF>{curve.points.back()})
    if (!above(point)) painter.drawEllipse(layout.pixel(point), radius, radius);
}

void paintBeyond(QPainter& painter, const Curve& curve, const QColor& color, const ChartLayout& layout) {
  const qreal half = 0.22 * layout.em;
  painter.setPen(Qt::NoPen);
  painter.setBrush(color);
  for (const QPointF& point : curve.beyond) {
    const QPointF tip(layout.pixel({point.x(), layout.y.max}) - QPointF(0, 1.2 * half));
    painter.drawPolygon(QPolygonF{tip, tip + QPointF(half, 1.6 * half), tip + QPointF(-half, 1.6 * half)});
  }
}

}  // namespace

void paintFrame(QPainter& painter, const ChartData& data, const ChartLayout& layout, const QPalette& palette) {
  painter.fillRect(QRectF(QPointF(), layout.size), palette.color(QPalette::Base));
  painter.setFont(layout.strong);
  painter.setPen(palette.color(QPalette::Text));
  painter.drawText(layout.headline, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextWordWrap | Qt::TextDontClip,
                   layout.headline_text);
  paintLegend(painter, data, layout, palette);
  paintGrid(painter, layout, palette);
  paintTitles(painter, layout, palette);
}

void paintFront(QPainter& painter, const ChartData& data, const ChartLayout& layout, const std::vector<Curve>& curves,
                const QPalette& palette) {
  paintMarkers(painter, data, layout, palette);
  for (const Curve& curve : curves) {
    const Series& series = data.series[std::size_t(curve.series)];
    if (curve.area || curve.points.isEmpty() || series.role != Role::measured) continue;
    const QColor color = penOf(series, palette, layout.em).color();
    if (series.stroke != Stroke::thin) paintDots(painter, curve, color, layout);
    paintBeyond(painter, curve, color, layout);
  }
  if (data.empty.isEmpty()) return;
  painter.setFont(layout.font);
  const qreal pad = 0.5 * layout.em;
  const QRectF words = painter.boundingRect(layout.plot, Qt::AlignCenter | Qt::TextWordWrap, data.empty);
  painter.fillRect(words.adjusted(-pad, -pad, pad, pad), palette.color(QPalette::Base));
  painter.setPen(palette.color(QPalette::Text));
  painter.drawText(layout.plot, Qt::AlignCenter | Qt::TextWordWrap, data.empty);
}

}  // namespace mla::ui
