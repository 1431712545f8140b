#include "ui/charts/chart_layout.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

#include "ui/charts/legend.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

/// Large charts, as on a projector or in a figure, get larger text, up to half as much again.
QFont fontFor(const QSizeF& size, const QFont& base) {
  const qreal factor = std::clamp(std::sqrt(size.width() * size.height() / (700.0 * 450.0)), 1.0, 1.5);
  QFont font = base;
  if (base.pointSizeF() > 0)
    font.setPointSizeF(base.pointSizeF() * factor);
  else
    font.setPixelSize(int(std::lround(base.pixelSize() * factor)));
  return font;
}

/// The text on at most `lines` lines of that width, the rest elided.
QString fitted(const QString& text, const QFontMetricsF& metrics, qreal width, int lines) {
  const auto height = [&](const QString& t) {
    return metrics.boundingRect(QRectF(0, 0, width, 1e4), Qt::TextWordWrap, t).height();
  };
  if (text.isEmpty() || height(text) <= metrics.lineSpacing() * (lines + 0.5)) return text;
  qreal room = width * lines;
  QString shorter = metrics.elidedText(text, Qt::ElideRight, room);
  while (height(shorter) > metrics.lineSpacing() * (lines + 0.5) && room > metrics.height()) {
    room *= 0.95;
    shorter = metrics.elidedText(text, Qt::ElideRight, room);
  }
  return shorter;
}

qreal heightOf(const QString& text, const QFontMetricsF& metrics, qreal width) {
  if (text.isEmpty()) return 0;
  return std::ceil(metrics.boundingRect(QRectF(0, 0, width, 1e4), Qt::TextWordWrap, text).height());
}

qreal widest(const Ticks& ticks, const QFontMetricsF& metrics) {
  qreal width = 0;
  for (const Tick& tick : ticks.ticks) width = std::max(width, metrics.horizontalAdvance(tick.label));
  return std::ceil(width);
}

QString titleOf(const Axis& axis, const Ticks& ticks) {
  return ticks.unit.isEmpty() ? axis.title : QStringLiteral("%1 (%2)").arg(axis.title, ticks.unit);
}

/// As many labels below the axis as fit without touching.
Ticks xTicksFor(const ChartData& data, Range range, qreal width, const QFontMetricsF& metrics) {
  Ticks ticks;
  for (int most = 12; most >= 2; --most) {
    ticks = ticksFor(range, data.x.unit, data.x.scale, most);
    if (widest(ticks, metrics) * 1.3 * double(ticks.ticks.size()) <= width) break;
  }
  return ticks;
}

/// Headline, legend, caption: the parts that take their height from the plot's.
struct Outer {
  qreal top = 0, bottom = 0;
};

Outer arrangeOuter(ChartLayout& out, const ChartData& data, ChartKind kind, qreal margin, qreal corner) {
  const QFontMetricsF strong(out.strong), small(out.small);
  const qreal width = out.size.width() - 2 * margin;
  const bool low = out.size.height() < 13 * out.em;
  out.headline_text = fitted(data.headline, strong, width - corner, low ? 1 : 2);
  qreal headline = heightOf(out.headline_text, strong, width - corner);
  if (corner > 0) headline = std::max(headline, 1.5 * out.em);
  out.headline = {margin, margin, width - corner, headline};
  const qreal legend_top = out.headline.bottom() + (headline > 0 ? 0.3 * out.em : 0);
  const int rows = std::max(1, int(out.size.height() * 0.3 / small.lineSpacing()));
  const Legend legend = arrangeLegend(data, kind, {margin, legend_top, width, 0}, out.small, rows);
  out.legend = legend.items;
  out.caption_text = low ? QString() : fitted(data.caption, small, width, 2);
  const qreal caption = heightOf(out.caption_text, small, width);
  out.caption = {margin, out.size.height() - margin - caption, width, caption};
  return {legend_top + legend.height, out.caption.top() - (caption > 0 ? 0.2 * out.em : 0)};
}

}  // namespace

QPointF ChartLayout::pixel(const QPointF& value) const {
  const bool log = y_scale == Scale::log;
  const auto mapped = [log](double v) { return log ? std::log10(v) : v; };
  const double fx = (value.x() - x.min) / (x.max - x.min);
  const double fy = (mapped(value.y()) - mapped(y.min)) / (mapped(y.max) - mapped(y.min));
  return {plot.left() + fx * plot.width(), plot.bottom() - fy * plot.height()};
}

ChartLayout arrange(const ChartData& data, ChartKind kind, const QSizeF& size, const QFont& font, qreal corner) {
  ChartLayout out;
  out.size = size;
  out.font = fontFor(size, font);
  out.strong = strongFont(out.font);
  out.small = smallFont(out.font);
  out.em = QFontMetricsF(out.font).height();
  out.x = xRange(data);
  out.y = yRange(data, kind);
  out.y_scale = data.y.scale;

  const QFontMetricsF small(out.small);
  const qreal line = small.height(), margin = std::round(0.45 * out.em);
  const Outer outer = arrangeOuter(out, data, kind, margin, corner);
  const qreal top = outer.top + 0.55 * line;  // half a label of the topmost tick, and air
  const qreal bottom = std::max(top + 1, outer.bottom - 2.25 * line);
  out.y_ticks = ticksFor(out.y, data.y.unit, data.y.scale, int((bottom - top) / (2.2 * line)));
  const qreal left = margin + 1.2 * line + widest(out.y_ticks, small) + 0.4 * line;
  const qreal right = size.width() - margin - 0.6 * line;
  out.x_ticks = xTicksFor(data, out.x, right - left, small);
  const qreal overhang = out.x_ticks.ticks.empty() ? 0 : small.horizontalAdvance(out.x_ticks.ticks.back().label) / 2;
  const qreal last = out.x_ticks.ticks.empty() ? 0 : (out.x.max - out.x_ticks.ticks.back().value) / (out.x.max - out.x.min);
  const qreal spill = std::max(0.0, overhang - last * (right - left) - 0.6 * line);
  out.plot = QRectF(QPointF(left, top), QPointF(std::max(left + 1, right - spill), bottom));

  out.x_title_text = small.elidedText(titleOf(data.x, out.x_ticks), Qt::ElideRight, out.plot.width());
  out.x_title = {out.plot.left(), out.plot.bottom() + 1.2 * line, out.plot.width(), line};
  out.y_title_text = small.elidedText(titleOf(data.y, out.y_ticks), Qt::ElideRight, out.plot.height());
  out.y_title = {margin, out.plot.top(), line, out.plot.height()};
  return out;
}

}  // namespace mla::ui
