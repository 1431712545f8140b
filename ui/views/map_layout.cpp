#include "ui/views/map_layout.h"

#include <algorithm>

namespace mla::ui {
namespace {

constexpr double kMargin = 8;
constexpr double kSums = 34;       // thickness of the bars of sums
constexpr int kReadoutLines = 10;  // lines of the readout in one column

/// Takes the panel of legend and readout off `room`, on the right or at the bottom; in little room a legend of the scale
/// alone.
void placePanel(MapLayout& layout, QRectF& room, double line, double width) {
  const double scale = 2.2 * line + 20, legend = 4 * line + 34;  // title, bar, ticks; then two lines of swatches
  if (room.width() > 1.35 * room.height() && room.width() > 2.4 * width && room.height() > legend) {
    const QRectF panel(room.right() - width, room.top(), width, room.height());
    layout.legend = QRectF(panel.left(), panel.top(), width, legend);
    layout.readout = QRectF(panel.left(), panel.top() + legend + line, width, panel.height() - legend - line);
    room.setRight(panel.left() - 2 * kMargin);
    return;
  }
  const double full = std::max(legend, (kReadoutLines / 2 + 1) * line + 4);
  const double height = room.height() >= 2.8 * full ? full : scale;
  if (room.height() < 2.5 * height) return;
  const QRectF panel(room.left(), room.bottom() - height, room.width(), height);
  const double split = std::min(std::max(width, 0.42 * room.width()), room.width());
  layout.legend = QRectF(panel.left(), panel.top(), split - kMargin, height);
  if (room.width() - split > 100) {
    layout.readout = QRectF(panel.left() + split + kMargin, panel.top(), room.width() - split - kMargin, height);
  }
  room.setBottom(panel.top() - kMargin);
}

}  // namespace

QPointF MapLayout::tokenAt(QPointF point, const QRectF& window) const {
  return {window.x() + (point.x() - plot.x()) / plot.width() * window.width(),
          window.y() + (point.y() - plot.y()) / plot.height() * window.height()};
}

QRectF MapLayout::rectOf(const QRectF& tokens, const QRectF& window) const {
  const double sx = plot.width() / window.width(), sy = plot.height() / window.height();
  return {plot.x() + (tokens.x() - window.x()) * sx, plot.y() + (tokens.y() - window.y()) * sy, tokens.width() * sx,
          tokens.height() * sy};
}

MapLayout layoutMap(const QSizeF& size, const QFontMetricsF& metrics, const KeyLabels& keys) {
  MapLayout layout;
  const double line = metrics.height();
  QRectF room(kMargin, kMargin, std::max(20.0, size.width() - 2 * kMargin), std::max(20.0, size.height() - 2 * kMargin));
  layout.title = QRectF(room.left(), room.top(), room.width(), line);
  room.setTop(room.top() + line + kMargin / 2);
  placePanel(layout, room, line, std::max(245.0, 34 * metrics.averageCharWidth()));

  const bool roomy = room.width() > 200 && room.height() > 160;
  const double left = std::min(9 * metrics.averageCharWidth() + line + 6, 0.3 * room.width());
  const double sums = roomy ? kSums : 0, heading = roomy ? line : 0, across = std::max(4.0, room.width() - left - sums - 6);
  const double below = std::min((keys.upright(across, line) ? 4.2 : 2.2) * line, 0.35 * room.height());
  const double down = std::max(4.0, room.height() - below - sums - heading);
  // Whole pixels, so that none of the picture's is lost or doubled on the screen.
  layout.plot = QRectF(QRect(int(room.left() + left), int(room.top() + sums + heading), int(across), int(down)));
  const QRectF& plot = layout.plot;
  layout.queryLabels = QRectF(room.left(), plot.top(), left - 3, plot.height());
  layout.keyLabels = QRectF(plot.left(), plot.bottom() + 3, plot.width(), room.bottom() - plot.bottom() - 3);
  if (roomy) {
    layout.columnSums = QRectF(plot.left(), plot.top() - sums, plot.width(), sums - 3);
    layout.rowSums = QRectF(plot.right() + 3, plot.top(), sums - 3, plot.height());
  }
  return layout;
}

}  // namespace mla::ui
