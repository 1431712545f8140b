#include "ui/views/compare_table.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "ui/theme/theme.h"
#include "ui/views/compare_scene.h"

namespace mla::ui {
namespace {

constexpr double kGap = 12;
constexpr double kLabelShare = 0.3;  // of the width, at least: numbers are cut before labels say nothing

double lineHeight(const QFontMetricsF& metrics) { return metrics.lineSpacing() + 3; }

/// Every column as wide as its widest cell, where there is room; the labels give way first, then the numbers.
std::vector<double> columnWidths(const QFontMetricsF& metrics, const std::vector<QStringList>& lines, double room) {
  std::vector<double> widths(std::size_t(lines.front().size()), 0);
  for (const QStringList& line : lines)
    for (std::size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], metrics.horizontalAdvance(line[int(i)]) + kGap);
  const double numbers = std::accumulate(widths.begin() + 1, widths.end(), 0.0);
  const double shrink = std::min(1.0, room * (1 - kLabelShare) / numbers);
  for (std::size_t i = 1; i < widths.size(); ++i) widths[i] *= shrink;
  widths.front() = std::min(widths.front(), room - shrink * numbers);
  return widths;
}

/// The label on the left, numbers on the right of their columns.
void paintCells(QPainter& painter, QPointF at, double height, const QStringList& cells, const std::vector<double>& widths) {
  const QFontMetricsF metrics(painter.font());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const QString text = metrics.elidedText(cells[int(i)], Qt::ElideRight, widths[i] - 2);
    painter.drawText(QRectF(at, QSizeF(widths[i], height)), (i == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter,
                     text);
    at.rx() += widths[i];
  }
}

}  // namespace

double compareTableHeight(const QFontMetricsF& metrics, const Comparison& comparison) {
  return lineHeight(metrics) * double(compareQuantities(comparison).size() + 1);
}

void paintCompareTable(QPainter& painter, const QRectF& rect, const Comparison& comparison, const MapColors& colors) {
  std::vector<QStringList> lines = {compareColumns()};
  for (const CompareQuantity& quantity : compareQuantities(comparison)) lines.push_back(cellsOf(quantity));
  const QFont normal = painter.font();
  const QFontMetricsF strong(strongFont(normal));
  const std::vector<double> widths = columnWidths(strong, lines, rect.width());
  const double height = lineHeight(QFontMetricsF(normal));
  QRectF line(rect.left(), rect.top(), std::accumulate(widths.begin(), widths.end(), 0.0), height);
  for (std::size_t i = 0; i < lines.size(); ++i, line.translate(0, height)) {
    painter.setFont(i == 0 ? strongFont(normal) : normal);
    painter.setPen(colors.text);
    paintCells(painter, line.topLeft(), height, lines[i], widths);
    painter.setPen(QPen(colors.frame, 1));
    painter.drawLine(line.bottomLeft(), line.bottomRight());
  }
  painter.setFont(normal);
}

}  // namespace mla::ui
