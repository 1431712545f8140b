#include "ui/charts/chart_layout.h"

#include <QFontMetricsF>
#include <algorithm>
#include <array>
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

qreal marginOf(const ChartLayout& layout) { return std::round(0.45 * layout.em); }

/// As many labels below the axis as fit without touching.
Ticks xTicksFor(const ChartData& data, Range range, qreal width, const QFontMetricsF& metrics) {
  Ticks ticks;
  for (int most = 12; most >= 2; --most) {
    ticks = ticksFor(range, data.x.unit, data.x.scale, most);
    if (widest(ticks, metrics) * 1.3 * double(ticks.ticks.size()) <= width) break;
  }
  return ticks;
}

/// What a chart shows beside its plot; a small one does without some of it.
struct Detail {
  int headline_lines;
  double legend_share;  ///< of the height; 0: no legend
  int caption_lines;
  bool x_title;
};
constexpr std::array kDetails{Detail{2, 0.3, 2, true}, Detail{2, 0.25, 1, true}, Detail{2, 0.2, 0, true},
                              Detail{2, 0, 0, false}, Detail{1, 0, 0, false}};

/// Headline, legend and caption, and the room that they leave between them.
struct Room {
  qreal top = 0, bottom = 0;
};

Room arrangeOuter(ChartLayout& out, const ChartData& data, ChartKind kind, const Detail& detail, qreal corner) {
  const QFontMetricsF strong(out.strong), small(out.small);
  const qreal margin = marginOf(out), width = out.size.width() - 2 * margin;
  out.headline_text = fitted(data.headline, strong, width - corner, detail.headline_lines);
  qreal headline = heightOf(out.headline_text, strong, width - corner);
  if (corner > 0) headline = std::max(headline, 1.5 * out.em);
  out.headline = {margin, margin, width - corner, headline};
  const qreal legend_top = out.headline.bottom() + (headline > 0 ? 0.3 * out.em : 0);
  Legend legend;
  if (detail.legend_share > 0) {
    const int rows = std::max(1, int(out.size.height() * detail.legend_share / small.lineSpacing()));
    legend = arrangeLegend(data, kind, {margin, legend_top, width, 0}, out.small, rows);
  }
  out.legend = std::move(legend.items);
  out.caption_text = detail.caption_lines == 0 ? QString() : fitted(data.caption, small, width, detail.caption_lines);
  const qreal caption = heightOf(out.caption_text, small, width);
  out.caption = {margin, out.size.height() - margin - caption, width, caption};
  return {legend_top + legend.height, out.caption.top() - (caption > 0 ? 0.2 * out.em : 0)};
}

/// The plot between what stands above and below it, with its ticks.
void arrangePlot(ChartLayout& out, const ChartData& data, const Room& room, bool x_title) {
  const QFontMetricsF small(out.small);
  const qreal line = small.height();
  const qreal top = room.top + 0.55 * line;  // half a label of the topmost tick, and air
  const qreal bottom = std::max(top + 1, room.bottom - (x_title ? 2.25 : 1.25) * line);
  out.y_ticks = ticksFor(out.y, data.y.unit, data.y.scale, std::min(9, int((bottom - top) / (2.2 * line))));
  const qreal left = marginOf(out) + 1.6 * line + widest(out.y_ticks, small);
  const qreal right = out.size.width() - marginOf(out) - 0.6 * line;
  out.x_ticks = xTicksFor(data, out.x, right - left, small);
  qreal spill = 0;  // of the last label over the margin
  if (!out.x_ticks.ticks.empty()) {
    const Tick& last = out.x_ticks.ticks.back();
    const qreal share = out.x_scale == Scale::log ? std::log(out.x.max / last.value) / std::log(out.x.max / out.x.min)
                                                  : (out.x.max - last.value) / (out.x.max - out.x.min);
    const qreal free = share * (right - left) + 0.6 * line;
    spill = std::max(0.0, small.horizontalAdvance(last.label) / 2 - free);
  }
  out.plot = QRectF(QPointF(left, top), QPointF(std::max(left + 1, right - spill), bottom));
}

/// The title with its unit, or the unit alone where that is all that fits.
QString titleFor(const Axis& axis, const Ticks& ticks, const QFontMetricsF& metrics, qreal room) {
  if (ticks.unit.isEmpty()) return metrics.elidedText(axis.title, Qt::ElideRight, room);
  const QString full = QStringLiteral("%1 (%2)").arg(axis.title, ticks.unit);
  return metrics.horizontalAdvance(full) <= room ? full : metrics.elidedText(ticks.unit, Qt::ElideRight, room);
}

void arrangeTitles(ChartLayout& out, const ChartData& data, bool x_title) {
  const QFontMetricsF small(out.small);
  const qreal line = small.height();
  out.x_title_text = x_title ? titleFor(data.x, out.x_ticks, small, out.plot.width()) : QString();
  out.x_title = {out.plot.left(), out.plot.bottom() + 1.2 * line, out.plot.width(), x_title ? line : 0};
  out.y_title_text = titleFor(data.y, out.y_ticks, small, out.plot.height());
  out.y_title = {marginOf(out), out.plot.top(), line, out.plot.height()};
}

}  // namespace

QPointF ChartLayout::pixel(const QPointF& value) const {
  const auto fraction = [](double v, Range range, Scale scale) {
    const auto mapped = [scale](double u) { return scale == Scale::log ? std::log10(u) : u; };
    return (mapped(v) - mapped(range.min)) / (mapped(range.max) - mapped(range.min));
  };
  const double fx = fraction(value.x(), x, x_scale), fy = fraction(value.y(), y, y_scale);
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
  out.x_scale = data.x.scale;
  out.y_scale = data.y.scale;

  const qreal enough = 5 * QFontMetricsF(out.small).height();
  for (const Detail& detail : kDetails) {
    arrangePlot(out, data, arrangeOuter(out, data, kind, detail, corner), detail.x_title);
    arrangeTitles(out, data, detail.x_title);
    if (out.plot.height() >= enough) break;
  }
  return out;
}

}  // namespace mla::ui
