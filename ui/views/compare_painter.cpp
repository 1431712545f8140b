#include "ui/views/compare_painter.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"
#include "ui/views/compare_table.h"
#include "ui/views/map_legend.h"
#include "ui/views/map_viewport.h"

namespace mla::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(mla::ui::Compare)
};

std::array<QImage, 3> drawn(const CompareScene& scene, int level, const MapColors& colors) {
  const int tokens = scene.comparison->tokens();
  const auto draw = [&](const ColorScale& scale, const auto& value) {
    return triangleImage(tokens, level, scale, colors, [&](int query, int key) {
      return value(std::size_t(query) * std::size_t(tokens) + std::size_t(key));
    });
  };
  std::array<QImage, 3> images;
  const std::vector<float>*first = scene.weights(0), *second = scene.weights(1);
  const ColorScale weights = weightScale(scene);
  if (first) images[0] = draw(weights, [&](std::size_t at) { return double((*first)[at]); });
  if (second) images[1] = draw(weights, [&](std::size_t at) { return double((*second)[at]); });
  if (scene.difference())
    images[2] = draw(differenceScale(scene), [&](std::size_t at) { return double((*second)[at]) - (*first)[at]; });
  return images;
}

int levelFor(const QPainter& painter, const QRectF& map, int tokens) {
  return poolLevel(tokens, std::max(1.0, map.width() * std::abs(painter.combinedTransform().m11())));
}

/// Two outlines, one of which stands out from whatever lies below.
void paintFocus(QPainter& painter, const QRectF& map, const CompareScene& scene) {
  if (!scene.focus) return;
  QRectF cell = triangleCellRect(*scene.focus, map, scene.comparison->tokens());
  const double grow = std::max(0.0, (5 - cell.width()) / 2);
  cell.adjust(-grow, -grow, grow, grow);
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(Qt::black, 3));
  painter.drawRect(cell);
  painter.setPen(QPen(Qt::white, 1));
  painter.drawRect(cell);
}

void paintMissing(QPainter& painter, const QRectF& map, const CompareScene& scene, const MapColors& colors) {
  painter.setPen(QPen(colors.frame, 1));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(map);
  paintMessage(painter, map.adjusted(4, 4, -4, -4), Text::tr("has no head h%1").arg(scene.head), colors);
}

void paintMaps(QPainter& painter, const CompareLayout& layout, const QPalette& palette, const CompareScene& scene,
               CompareImages& images, const MapColors& colors) {
  const QFontMetricsF metrics(painter.font());
  const QStringList titles = compareTitles(scene);
  const int tokens = scene.comparison->tokens(), level = levelFor(painter, layout.maps[0], tokens);
  const std::array<QImage, 3>& shown = images.of(scene, level, palette);
  for (std::size_t i = 0; i < 3; ++i) {
    painter.setPen(colors.text);
    painter.drawText(layout.titles[i], Qt::AlignLeft | Qt::AlignVCenter,
                     metrics.elidedText(titles[int(i)], Qt::ElideRight, layout.titles[i].width()));
    if (shown[i].isNull()) {
      if (i < 2) paintMissing(painter, layout.maps[i], scene, colors);
      continue;
    }
    paintTriangle(painter, layout.maps[i], shown[i], tokens, level, colors);
    paintFocus(painter, layout.maps[i], scene);
  }
}

void paintLegends(QPainter& painter, const CompareLayout& layout, const CompareScene& scene, const MapColors& colors) {
  if (layout.weight_legend.isEmpty()) return;
  QString weights = Text::tr("attention weight, both maps");
  const int pooled = 1 << levelFor(painter, layout.maps[0], scene.comparison->tokens());
  if (pooled > 1) weights += Text::tr(", max of %1×%1 tokens").arg(pooled);
  paintLegend(painter, layout.weight_legend, weights, weightScale(scene), {}, colors);
  if (scene.difference())
    paintLegend(painter, layout.difference_legend, Text::tr("difference of weights"), differenceScale(scene), {}, colors);
}

void paintLine(QPainter& painter, const QRectF& rect, const QString& text) {
  const QFontMetricsF metrics(painter.font());
  painter.drawText(rect, Qt::AlignLeft | Qt::AlignVCenter, metrics.elidedText(text, Qt::ElideRight, rect.width()));
}

/// In two lines where one is too narrow and there is room.
void paintHeadline(QPainter& painter, const QRectF& rect, const QString& text) {
  if (rect.height() < 2 * QFontMetricsF(painter.font()).lineSpacing()) return paintLine(painter, rect, text);
  painter.drawText(rect, Qt::AlignLeft | Qt::AlignTop | Qt::TextWordWrap, text);
}

}  // namespace

const std::array<QImage, 3>& CompareImages::of(const CompareScene& scene, int level, const QPalette& palette) {
  const bool dark = isDark(palette);
  const bool same = comparison_ == scene.comparison && head_ == scene.head && level_ == level && log_ == scene.log;
  if (same && dark_ == dark) return images_;
  comparison_ = scene.comparison;
  head_ = scene.head, level_ = level, log_ = scene.log, dark_ = dark;
  images_ = drawn(scene, level, MapColors::from(palette));
  return images_;
}

void paintCompare(QPainter& painter, const QSizeF& size, const QPalette& palette, const CompareScene& scene,
                  CompareImages& images) {
  const MapColors colors = MapColors::from(palette);
  const QRectF all(QPointF(0, 0), size);
  painter.fillRect(all, colors.background);
  if (scene.empty()) return paintMessage(painter, all.adjusted(20, 20, -20, -20), scene.message, colors);
  const CompareLayout layout = layoutCompare(size, QFontMetricsF(painter.font()), scene);
  const QFont normal = painter.font();
  painter.setFont(strongFont(normal));
  painter.setPen(colors.text);
  paintHeadline(painter, layout.headline, compareHeadline(scene));
  painter.setFont(normal);
  paintMaps(painter, layout, palette, scene, images, colors);
  painter.setPen(scene.focus ? colors.text : colors.faint);
  if (!layout.readout.isEmpty()) paintLine(painter, layout.readout, compareReadout(scene));
  paintLegends(painter, layout, scene, colors);
  if (!layout.table.isEmpty()) paintCompareTable(painter, layout.table, *scene.comparison, colors);
}

std::optional<TriangleCell> compareCellAt(const QPointF& point, const QSizeF& size, const QFont& font,
                                          const CompareScene& scene) {
  if (scene.empty()) return {};
  const CompareLayout layout = layoutCompare(size, QFontMetricsF(font), scene);
  for (const QRectF& map : layout.maps)
    if (const auto cell = triangleCellAt(point, map, scene.comparison->tokens())) return cell;
  return {};
}

}  // namespace mla::ui
