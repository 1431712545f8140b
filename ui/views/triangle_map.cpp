#include "ui/views/triangle_map.h"

#include <QCoreApplication>
#include <QPaintEngine>

namespace mla::ui {

namespace {

/// Viewers of files smooth small images when they enlarge them: those get an image of twice the map's units, cells sharp.
int enlargement(const QPainter& painter, const QRectF& map, const QImage& image) {
  if (painter.paintEngine()->type() == QPaintEngine::Raster) return 1;
  return std::max(1, int(std::ceil(2 * map.width() / image.width())));
}

}  // namespace

void paintTriangle(QPainter& painter, const QRectF& map, const QImage& image, int tokens, int level,
                   const MapColors& colors) {
  const int times = enlargement(painter, map, image);
  const double covered = double(tokens) / (1 << level) * times;  // the last pixels may stand for fewer tokens
  painter.drawImage(map, times > 1 ? image.scaled(image.size() * times) : image, QRectF(0, 0, covered, covered));
  painter.setPen(QPen(colors.frame, 1));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(map);
  const QFontMetricsF metrics(painter.font());
  const QString axes = QCoreApplication::translate("mla::ui::Triangle", "queries ↓  keys →");
  painter.setPen(colors.faint);
  painter.drawText(QRectF(map.left(), map.bottom(), map.width(), metrics.lineSpacing()), Qt::AlignRight,
                   metrics.elidedText(axes, Qt::ElideRight, map.width()));
}

std::optional<TriangleCell> triangleCellAt(const QPointF& point, const QRectF& map, int tokens) {
  if (tokens <= 0 || !map.contains(point)) return {};
  const auto cell = [&](double at, double extent) { return std::clamp(int(at / extent * tokens), 0, tokens - 1); };
  const TriangleCell found{cell(point.y() - map.top(), map.height()), cell(point.x() - map.left(), map.width())};
  return found.key <= found.query ? std::optional(found) : std::nullopt;
}

QRectF triangleCellRect(const TriangleCell& cell, const QRectF& map, int tokens) {
  const double width = map.width() / tokens, height = map.height() / tokens;
  return {map.left() + cell.key * width, map.top() + cell.query * height, width, height};
}

void paintMessage(QPainter& painter, const QRectF& rect, const QString& message, const MapColors& colors) {
  painter.setPen(colors.faint);
  painter.drawText(rect, Qt::AlignCenter | Qt::TextWordWrap, message);
}

}  // namespace mla::ui
