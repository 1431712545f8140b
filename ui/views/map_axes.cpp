#include "ui/views/map_axes.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QHash>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"
#include "ui/views/map_painter.h"

namespace mla::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(mla::ui::Map)
};

/// The smallest 1, 2 or 5 times a power of ten that is at least `least`.
int roundStep(double least) {
  for (int decade = 1;; decade *= 10) {
    for (const int step : {1, 2, 5}) {
      if (step * decade >= least) return step * decade;
    }
  }
}

/// Tokens along one axis that get a label: all of them where each has `room` pixels, every so many otherwise.
struct Labels {
  int first, end, step;
};

Labels labelsAlong(double from, double length, int limit, double pixels, double textRoom, double indexRoom) {
  const double each = pixels / length;
  const int step = each >= textRoom ? 1 : roundStep(indexRoom / each);
  const int first = std::max(0, int(std::ceil((from - (step == 1 ? 0.5 : 0)) / step)) * step);
  return {first, std::min(limit, int(std::ceil(from + length))), step};
}

void paintVertical(QPainter& painter, QPointF right, const QString& label) {
  painter.save();
  painter.translate(right);
  painter.rotate(-90);
  const QFontMetricsF metrics(painter.font());
  painter.drawText(QPointF(-metrics.horizontalAdvance(label), (metrics.ascent() - metrics.descent()) / 2), label);
  painter.restore();
}

void paintQueries(QPainter& painter, const MapLayout& layout, const MapSource& source, const QRectF& window) {
  const QFontMetricsF metrics(painter.font());
  const QRectF area = layout.queryLabels.adjusted(metrics.height() + 2, 0, 0, 0);
  const double each = area.height() / window.height();
  const bool texts = each >= metrics.height() * 0.9;
  const Labels labels =
      labelsAlong(window.y(), window.height(), source.end(), area.height(), metrics.height() * 0.9, 2.5 * metrics.height());
  for (int q = labels.first; q < labels.end; q += labels.step) {
    const double y = layout.rectOf(QRectF(0, q, 1, 1), window).center().y();
    if (y < area.top() || y > area.bottom()) continue;
    const QString label = texts ? source.tokenLabel(q) : QString::number(q);
    painter.drawText(QRectF(area.left(), y - metrics.height() / 2, area.width() - 2, metrics.height()),
                     Qt::AlignRight | Qt::AlignVCenter, metrics.elidedText(label, Qt::ElideRight, area.width() - 2));
  }
}

void paintKeys(QPainter& painter, const MapLayout& layout, const MapSource& source, const QRectF& window) {
  const QFontMetricsF metrics(painter.font());
  const QRectF area = layout.keyLabels.adjusted(0, 0, 0, -metrics.height());
  const KeyLabels needs = keyLabels(source, window, metrics);
  const bool texts = needs.texts(area.width(), metrics.height()), upright = needs.upright(area.width(), metrics.height());
  const double each = area.width() / window.width();
  const double number = metrics.horizontalAdvance(QString::number(source.end())) + metrics.height();
  const Labels labels = labelsAlong(window.x(), window.width(), source.end(), area.width(), metrics.height() * 0.9, number);
  for (int k = labels.first; k < labels.end; k += labels.step) {
    const double x = layout.rectOf(QRectF(k, 0, 1, 1), window).center().x();
    if (x < area.left() || x > area.right()) continue;
    const QString label = texts ? source.tokenLabel(k) : QString::number(k);
    if (upright) {
      paintVertical(painter, {x, area.top() + 2}, metrics.elidedText(label, Qt::ElideRight, area.height() - 2));
    } else {
      const double wide = std::max(each, metrics.horizontalAdvance(label) + 4);
      painter.drawText(QRectF(x - wide / 2, area.top(), wide, metrics.height()), Qt::AlignCenter, label);
    }
  }
}

/// The sum of largest magnitude among tokens [from, to).
double largest(const std::vector<double>& sums, int from, int to) {
  double best = 0;
  for (int i = std::max(from, 0); i < std::min<int>(to, int(sums.size())); ++i) {
    if (std::abs(sums[i]) > std::abs(best)) best = sums[i];
  }
  return best;
}

/// Bars along an axis, growing away from the map, or to both sides of a middle line where sums can be negative.
void paintBars(QPainter& painter, const QRectF& area, const std::vector<double>& sums, double from, double length, bool rows,
               bool isSigned, const MapColors& colors) {
  double top = 0;
  const int begin = std::max(0, int(from)), end = std::min<int>(int(sums.size()), int(std::ceil(from + length)));
  for (int i = begin; i < end; ++i) top = std::max(top, std::abs(sums[i]));
  if (top == 0) return;
  const double pixels = rows ? area.height() : area.width(),
               depth = (rows ? area.width() : area.height()) / (isSigned ? 2 : 1);
  const int stride = std::max(1, int(std::ceil(length / pixels)));
  for (int i = begin / stride * stride; i < end; i += stride) {
    const double value = largest(sums, i, i + stride) / top * depth;
    const double at = (i - from) / length * pixels, to = std::min(pixels, (i + stride - from) / length * pixels);
    const double gap = to - at > 6 ? 1 : -0.5,  // thin bars overlap, so that no seam shows
        start = std::max(0.0, at), base = isSigned ? depth : 0;
    const double low = std::min(base, base + value), thick = std::abs(value);
    const QRectF bar = rows ? QRectF(area.left() + low, area.top() + start, thick, to - start - gap)
                            : QRectF(area.left() + start, area.bottom() - low - thick, to - start - gap, thick);
    painter.fillRect(bar, colors.faint);
  }
}

/// A label's width, remembered: measuring hundreds of labels several times a frame took longer than painting the map.
double widthOf(const QString& label, const QFontMetricsF& metrics) {
  thread_local QFontMetricsF known = metrics;
  thread_local QHash<QString, double> widths;
  if (known != metrics || widths.size() > 4096) widths.clear();  // every input vector has a label of its own
  known = metrics;
  const auto found = widths.constFind(label);
  return found != widths.constEnd() ? *found : *widths.insert(label, metrics.horizontalAdvance(label));
}

/// What the bars are, in fewer words where that is all that fits.
QString sumsMeaning(const MapScene& scene, const QFontMetricsF& metrics, double width) {
  const bool all = scene.source.history.stride == 1;
  if (scene.source.value == MapValue::weight) {
    const QString whole = all ? Text::tr("above: attention received (column sums); right: row sums (1)")
                              : Text::tr("above: attention received from the rows kept; right: row sums (1)");
    if (metrics.horizontalAdvance(whole) <= width) return whole;
  }
  const QString brief =
      all ? Text::tr("above: column sums; right: row sums") : Text::tr("above: sums of the rows kept; right: row sums");
  return metrics.elidedText(brief, Qt::ElideRight, width);
}

}  // namespace

KeyLabels keyLabels(const MapSource& source, const QRectF& window, const QFontMetricsF& metrics) {
  KeyLabels labels{0, window.width()};
  if (window.width() > 400) return labels;  // too many to have texts on any screen
  const int end = std::min(source.end(), int(std::ceil(window.right())));
  for (int key = std::max(0, int(window.left())); key < end; ++key) {
    labels.widest = std::max(labels.widest, widthOf(source.tokenLabel(key), metrics));
  }
  return labels;
}

void paintAxes(QPainter& painter, const MapLayout& layout, const MapColors& colors, const MapSource& source,
               const QRectF& window) {
  painter.save();
  painter.setPen(colors.text);
  paintQueries(painter, layout, source, window);
  paintKeys(painter, layout, source, window);
  const QFontMetricsF metrics(painter.font());
  painter.setPen(colors.faint);
  const QRectF keys = layout.keyLabels;
  painter.drawText(QRectF(keys.left(), keys.bottom() - metrics.height(), keys.width(), metrics.height()), Qt::AlignCenter,
                   Text::tr("key token (attended to)"));
  painter.translate(layout.queryLabels.left() + metrics.height() / 2, layout.queryLabels.center().y());
  painter.rotate(-90);
  const double half = layout.queryLabels.height() / 2;
  painter.drawText(QRectF(-half, -metrics.height() / 2, 2 * half, metrics.height()), Qt::AlignCenter,
                   Text::tr("query token"));
  painter.restore();
}

void paintSums(QPainter& painter, const MapLayout& layout, const MapColors& colors, const MapScene& scene) {
  if (layout.rowSums.isEmpty()) return;
  const bool weights = scene.source.value == MapValue::weight;
  const QRectF& window = scene.window;
  paintBars(painter, layout.columnSums, scene.picture.columnSums, window.x(), window.width(), false, !weights, colors);
  paintBars(painter, layout.rowSums, scene.picture.rowSums, window.y(), window.height(), true, !weights, colors);
  painter.save();
  painter.setPen(colors.faint);
  painter.setFont(smallFont(painter.font()));
  const QFontMetricsF metrics(painter.font());
  const QRectF columns = layout.columnSums;
  const double width = columns.width() + layout.rowSums.width();
  painter.drawText(QRectF(columns.left(), columns.top() - metrics.height() - 2, width, metrics.height()),
                   Qt::AlignLeft | Qt::AlignVCenter, sumsMeaning(scene, metrics, width));
  painter.restore();
}

}  // namespace mla::ui
