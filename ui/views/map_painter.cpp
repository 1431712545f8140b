#include "ui/views/map_painter.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QRegion>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"
#include "ui/views/map_axes.h"
#include "ui/views/map_legend.h"
#include "ui/views/map_summary.h"

namespace mla::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(mla::ui::Map)
};

void paintTitle(QPainter& painter, const MapLayout& layout, const MapColors& colors, const MapScene& scene) {
  const QFontMetricsF metrics(painter.font());
  painter.setPen(colors.faint);
  const double note = std::min(metrics.horizontalAdvance(scene.note), 0.5 * layout.title.width());
  painter.drawText(layout.title, Qt::AlignRight | Qt::AlignVCenter,
                   metrics.elidedText(scene.note, Qt::ElideRight, note + 1));
  painter.save();
  painter.setFont(strongFont(painter.font()));
  painter.setPen(colors.text);
  const double room = layout.title.width() - note - 12;
  painter.drawText(layout.title, Qt::AlignLeft | Qt::AlignVCenter,
                   QFontMetricsF(painter.font()).elidedText(scene.title, Qt::ElideRight, room));
  painter.restore();
}

void paintImage(QPainter& painter, const MapLayout& layout, const MapColors& colors, const MapScene& scene) {
  if (!scene.picture.image.isNull()) {
    painter.save();
    painter.setClipRect(layout.plot);
    painter.drawImage(layout.rectOf(scene.picture.window, scene.window), scene.picture.image);
    painter.restore();
  }
  painter.setPen(QPen(colors.frame, 1));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(layout.plot);
}

/// Two outlines, one of which stands out from whatever lies below, and lines to the axes.
void paintFocus(QPainter& painter, const MapLayout& layout, const MapColors& colors, const MapScene& scene) {
  if (!scene.focus) return;
  const MapBlock& block = *scene.focus;
  QRectF cell = layout.rectOf(QRectF(block.key, block.query, block.keys, block.queries), scene.window) & layout.plot;
  if (cell.isEmpty()) return;  // zoomed out of sight
  painter.save();
  painter.setPen(QPen(colors.accent, 1, scene.locked ? Qt::SolidLine : Qt::DotLine));
  painter.drawLine(QPointF(layout.plot.left(), cell.center().y()), QPointF(cell.left(), cell.center().y()));
  painter.drawLine(QPointF(cell.center().x(), cell.bottom()), QPointF(cell.center().x(), layout.plot.bottom()));
  const double grow = std::max(0.0, (5 - std::min(cell.width(), cell.height())) / 2);
  cell.adjust(-grow, -grow, grow, grow);
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(Qt::black, scene.locked ? 4 : 3));
  painter.drawRect(cell);
  painter.setPen(QPen(Qt::white, scene.locked ? 2 : 1));
  painter.drawRect(cell);
  painter.restore();
}

void paintReadout(QPainter& painter, const QRectF& rect, const MapColors& colors, const MapScene& scene) {
  if (rect.isEmpty()) return;
  const QFontMetricsF metrics(painter.font());
  const QStringList lines = readoutOf(scene);
  const int fitting = std::max(1, int(rect.height() / metrics.lineSpacing()));
  const bool elided = std::any_of(lines.begin(), lines.end(), [&](const QString& line) {
    return metrics.horizontalAdvance(line) > rect.width() / 2 - 6;
  });
  // What a cell says is shown with its ends cut off rather than in part; of the rest the hints, which come last, may go.
  const int columns = lines.size() > fitting && (scene.focus || !elided) ? 2 : 1;
  const int each = (int(lines.size()) + columns - 1) / columns;
  const double width = rect.width() / columns;
  painter.setPen(scene.focus ? colors.text : colors.faint);
  for (int i = 0; i < lines.size() && i < columns * fitting; ++i) {
    const QPointF at(rect.left() + (i / each) * width, rect.top() + (i % each) * metrics.lineSpacing() + metrics.ascent());
    painter.drawText(at, metrics.elidedText(lines[i], Qt::ElideRight, width - 6));
  }
}

/// The background where no picture will be: filling a screen's worth of pixels twice is what a frame would take longest for.
void paintBackground(QPainter& painter, const QSizeF& size, const MapLayout& layout, const MapColors& colors,
                     const MapScene& scene) {
  QRegion bare(QRectF(QPointF(0, 0), size).toAlignedRect());
  if (scene.interactive && !scene.source.empty() && !scene.picture.image.isNull()) {
    const QRectF covered = layout.rectOf(scene.picture.window, scene.window) & layout.plot;
    bare -= covered.toAlignedRect().adjusted(1, 1, -1, -1);
  }
  for (const QRect& rect : bare) painter.fillRect(rect, colors.background);
}

QString numbered(const MapSource& source, const QString& format, int position) {
  return format.arg(position).arg(source.tokenLabel(position));
}

void appendNumbers(QStringList& lines, const MapReading& reading) {
  lines << Text::tr("weight %1").arg(fourDigits(reading.weight)) << Text::tr("NoPE score %1").arg(fourDigits(reading.nope));
  lines << (reading.has_rope ? Text::tr("RoPE score %1").arg(fourDigits(reading.rope))
                             : Text::tr("RoPE score: this block has no RoPE"));
  lines << Text::tr("total score %1").arg(fourDigits(reading.total()));
}

void appendSums(QStringList& lines, const MapScene& scene, int query, int key) {
  const MapPicture& picture = scene.picture;
  if (picture.run != scene.source.run || query >= int(picture.rowSums.size())) return;
  const bool weights = scene.source.value == MapValue::weight;
  const bool all = scene.source.history.stride == 1 && scene.source.history.first == 0;
  lines << Text::tr("sum of query %1's row %2").arg(query).arg(fourDigits(picture.rowSums[query]));
  const QString received = all ? Text::tr("key %1 received %2 in all") : Text::tr("key %1 received %2 in the rows kept");
  lines << (weights ? received : Text::tr("sum of key %1's column %2")).arg(key).arg(fourDigits(picture.columnSums[key]));
}

/// What else the cell stands for: how many rows of how many queries, and how many keys.
void appendExtent(QStringList& lines, const MapSource& source, const MapBlock& block) {
  int queries = block.queries;
  const int last = std::min(block.query + block.queries, source.end()) - 1;
  if (block.query < source.history.whole_from && source.history.stride > 1 && last > block.query) {
    queries = source.rowsIn(block);
    lines << Text::tr("of queries %1 to %2, %3 kept").arg(block.query).arg(last).arg(queries);
  }
  if (queries > 1 || block.keys > 1) lines << Text::tr("max of %1×%2 cells (queries × keys)").arg(queries).arg(block.keys);
}

/// With no cell in focus: the newest query as a whole.
QStringList newestQuery(const MapScene& scene) {
  const AttentionRow& row = *scene.source.history.rows->back();
  HeadSummary summary;
  accumulate(summary, row, scene.source.head);
  const std::vector<float> weights = weightsOf(row, scene.source.head);
  const int best = int(std::max_element(weights.begin(), weights.end()) - weights.begin());
  QStringList lines = {numbered(scene.source, Text::tr("newest query %1  “%2”"), row.query)};
  lines
      << Text::tr("entropy %1 bits (even: %2)").arg(fourDigits(summary.mean_entropy_bits), fourDigits(std::log2(row.keys)));
  lines << Text::tr("largest weight %1").arg(fourDigits(summary.max_weight));
  lines << numbered(scene.source, Text::tr("on key %1  “%2”"), best);
  lines << Text::tr("the first token gets %1").arg(fourDigits(summary.mean_first_weight));
  if (scene.interactive)
    lines << QString() << Text::tr("hover or arrows: a cell's numbers") << Text::tr("click or Enter: locks it");
  return lines;
}

}  // namespace

QStringList readoutOf(const MapScene& scene) {
  if (scene.source.empty()) return {scene.message};
  if (!scene.focus) return newestQuery(scene);
  const MapBlock& block = *scene.focus;
  MapReading reading;
  QStringList lines;
  if (!largestOf(scene.source, block, reading)) {
    lines << numbered(scene.source, Text::tr("query %1  “%2”"), block.query)
          << numbered(scene.source, Text::tr("key %1  “%2”"), block.key);
    const bool thinned = block.query < scene.source.history.whole_from && scene.source.history.stride > 1;
    lines << (block.key >= block.query + block.queries ? Text::tr("above the diagonal: this key comes after the query")
              : thinned                                ? Text::tr("this query's row was not kept")
                                                       : Text::tr("this query was not recorded"));
  } else {
    lines << numbered(scene.source, Text::tr("query %1  “%2”"), reading.query)
          << numbered(scene.source, Text::tr("key %1  “%2”"), reading.key);
    appendNumbers(lines, reading);
    appendSums(lines, scene, reading.query, reading.key);
    appendExtent(lines, scene.source, block);
  }
  if (scene.locked) lines << Text::tr("locked; Esc unlocks");
  return lines;
}

void paintMap(QPainter& painter, const QSizeF& size, const QPalette& palette, const MapScene& scene) {
  const MapColors colors = MapColors::from(palette);
  const QFontMetricsF metrics(painter.font());
  const MapLayout layout = layoutMap(size, metrics, keyLabels(scene.source, scene.window, metrics));
  paintBackground(painter, size, layout, colors, scene);
  paintTitle(painter, layout, colors, scene);
  if (scene.source.empty()) {
    painter.setPen(colors.faint);
    painter.drawText(QRectF(QPointF(0, 0), size).adjusted(20, 20, -20, -20), Qt::AlignCenter | Qt::TextWordWrap,
                     scene.message);
    return;
  }
  paintImage(painter, layout, colors, scene);
  paintAxes(painter, layout, colors, scene.source, scene.window);
  paintSums(painter, layout, colors, scene);
  paintFocus(painter, layout, colors, scene);
  if (!layout.legend.isEmpty()) {
    std::vector<Swatch> swatches = mapSwatches(colors);
    if (layout.legend.height() < legendHeight(metrics, layout.legend.width(), swatches)) swatches.clear();
    paintLegend(painter, layout.legend, titleOf(scene.source.value), scene.picture.scale, swatches, colors);
  }
  paintReadout(painter, layout.readout, colors, scene);
}

}  // namespace mla::ui
