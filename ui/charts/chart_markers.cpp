#include "ui/charts/chart_markers.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

bool shows(const ChartLayout& layout, const Marker& marker) { return marker.x >= layout.x.min && marker.x <= layout.x.max; }

/// Right of the line, or left of it where the plot ends.
QRectF besideLine(const ChartLayout& layout, double at, double width, double line) {
  const double gap = 0.35 * line;
  const bool right = at + gap + width <= layout.plot.right() || at - gap - width < layout.plot.left();
  const double left = std::clamp(right ? at + gap : at - gap - width, layout.plot.left(),
                                 std::max(layout.plot.left(), layout.plot.right() - width));
  return {left, layout.plot.top() + 0.15 * line, width, line};
}

}  // namespace

std::vector<MarkerLabel> markerLabels(const ChartData& data, const ChartLayout& layout) {
  const QFontMetricsF metrics(layout.small);
  const double line = metrics.height(), step = 1.15 * line;
  const int rows = std::max(1, int(layout.plot.height() / 3 / step));
  std::vector<MarkerLabel> labels;
  for (const Marker& marker : data.markers) {
    MarkerLabel& label = labels.emplace_back();
    if (!shows(layout, marker)) continue;
    const QString text = metrics.elidedText(marker.label, Qt::ElideRight, layout.plot.width());
    QRectF box = besideLine(layout, layout.pixel({marker.x, layout.y.min}).x(), metrics.horizontalAdvance(text) + 2, line);
    const auto taken = [&] {
      return std::any_of(labels.begin(), labels.end(), [&](const MarkerLabel& l) { return l.box.intersects(box); });
    };
    int row = 0;
    for (; row < rows && taken(); ++row) box.translate(0, step);
    if (row < rows) label = {box, text};
  }
  return labels;
}

void paintMarkers(QPainter& painter, const ChartData& data, const ChartLayout& layout, const QPalette& palette) {
  if (data.markers.empty()) return;
  const QColor text = palette.color(QPalette::Text);
  for (const Marker& marker : data.markers) {
    if (!shows(layout, marker)) continue;
    QPen pen(marker.role == Role::measured ? text : mutedText(palette), 0.08 * layout.em);
    if (marker.role != Role::measured) pen.setDashPattern({4, 3});
    pen.setCapStyle(Qt::FlatCap);
    painter.setPen(pen);
    const double x = std::round(layout.pixel({marker.x, layout.y.min}).x()) + 0.5;
    painter.drawLine(QPointF(x, layout.plot.top()), QPointF(x, layout.plot.bottom()));
  }
  painter.setFont(layout.small);
  const std::vector<MarkerLabel> labels = markerLabels(data, layout);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].text.isEmpty()) continue;
    painter.fillRect(labels[i].box.adjusted(-2, 0, 2, 0), palette.color(QPalette::Base));
    painter.setPen(data.markers[i].role == Role::measured ? text : mutedText(palette));
    painter.drawText(labels[i].box, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextDontClip, labels[i].text);
  }
}

}  // namespace mla::ui
