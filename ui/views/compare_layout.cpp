// Where the parts of a comparison lie.
#include <algorithm>

#include "ui/views/compare_painter.h"
#include "ui/views/compare_table.h"
#include "ui/views/map_legend.h"

namespace mla::ui {
namespace {

constexpr double kMargin = 8;
constexpr double kBold = 1.15;       // the headline's font is wider than the metrics'
constexpr double kLeastTable = 380;  // pixels, so that its numbers are not cut

/// Cuts a strip off the bottom of `room`, with a margin above it.
QRectF takeBottom(QRectF& room, double height) {
  const QRectF strip(room.left(), room.bottom() - height, room.width(), height);
  room.setBottom(strip.top() - kMargin);
  return strip;
}

/// What stands below the maps, as far as they keep a good part of the height.
void placeBelow(CompareLayout& out, QRectF& room, const QFontMetricsF& metrics, double table, bool readout) {
  const double line = metrics.lineSpacing(), legend = legendHeight(metrics, room.width(), {});
  const auto fits = [&](double height) { return room.height() - height - kMargin > 7 * line; };
  if (table > 0 && fits(table)) out.table = takeBottom(room, table);
  if (fits(legend)) out.weight_legend = takeBottom(room, legend);
  if (readout && fits(line)) out.readout = takeBottom(room, line);
}

/// Three squares side by side from the top of `room`, a line for their titles above and one for their axes below.
void placeMaps(CompareLayout& out, const QRectF& room, double line) {
  const double each = (room.width() - 2 * kMargin) / 3;
  const double side = std::max(1.0, std::min(each, room.height() - 2 * line));
  for (int i = 0; i < 3; ++i) {
    const double left = room.left() + i * (each + kMargin);
    out.titles[std::size_t(i)] = QRectF(left, room.top(), each, line);
    out.maps[std::size_t(i)] = QRectF(left, room.top() + line, side, side);
  }
}

/// Moves what was placed at the bottom up to the maps: they may be lower than their room.
void closeGap(CompareLayout& out, double gap) {
  for (QRectF* part : {&out.readout, &out.weight_legend, &out.table})
    if (!part->isEmpty()) part->translate(0, -gap);
}

}  // namespace

CompareLayout layoutCompare(const QSizeF& size, const QFontMetricsF& metrics, const CompareScene& scene) {
  CompareLayout out;
  const double line = metrics.lineSpacing();
  QRectF room(kMargin, kMargin, std::max(1.0, size.width() - 2 * kMargin), std::max(1.0, size.height() - 2 * kMargin));
  const double table = scene.empty() ? 0 : compareTableHeight(metrics, *scene.comparison);
  const bool wraps = metrics.horizontalAdvance(compareHeadline(scene)) * kBold > room.width() && room.height() > 16 * line;
  out.headline = QRectF(room.topLeft(), QSizeF(room.width(), (wraps ? 2.2 : 1) * line));
  room.setTop(out.headline.bottom() + kMargin / 2);
  QRectF beside;
  if (room.width() > 2.2 * room.height() && room.width() * 0.36 > kLeastTable && table <= room.height()) {
    beside = QRectF(room.left() + room.width() * 0.64, room.top(), room.width() * 0.36, table);
    room.setRight(beside.left() - 2 * kMargin);
  }
  placeBelow(out, room, metrics, beside.isEmpty() ? table : 0, scene.interactive);
  placeMaps(out, room, line);
  closeGap(out, std::max(0.0, room.bottom() - (out.maps[0].bottom() + line)));
  if (!beside.isEmpty()) out.table = beside;
  if (!out.weight_legend.isEmpty()) {
    out.difference_legend = out.weight_legend;
    out.difference_legend.setLeft(out.maps[2].left());
    out.weight_legend.setRight(out.maps[2].left() - 2 * kMargin);
  }
  return out;
}

}  // namespace mla::ui
