#pragma once

#include <QImage>
#include <QPainter>
#include <QPalette>
#include <array>

#include "ui/views/compare_scene.h"

namespace mla::ui {

/// Where the parts of a comparison lie in a painting of one size. What has no room is left empty, the maps last of all.
struct CompareLayout {
  QRectF headline;
  std::array<QRectF, 3> titles, maps;  ///< first, second, difference
  QRectF readout, weight_legend, difference_legend;
  QRectF table;  ///< below the maps, or beside them in wide and low panes
};

CompareLayout layoutCompare(const QSizeF& size, const QFontMetricsF& metrics, const CompareScene& scene);

/// The images of the three maps, kept for as long as what they show stays the same.
class CompareImages {
 public:
  /// `level`: a pixel stands for 2^level tokens each way. Null where a side has not the shown head.
  const std::array<QImage, 3>& of(const CompareScene& scene, int level, const QPalette& palette);

 private:
  std::shared_ptr<const Comparison> comparison_;
  int head_ = -1, level_ = 0;
  bool log_ = false, dark_ = false;
  std::array<QImage, 3> images_;
};

/// Paints titles, maps, readout, legends and table, background included.
void paintCompare(QPainter& painter, const QSizeF& size, const QPalette& palette, const CompareScene& scene,
                  CompareImages& images);

/// The cell under a point of that painting, whichever map it is on.
std::optional<TriangleCell> compareCellAt(const QPointF& point, const QSizeF& size, const QFont& font,
                                          const CompareScene& scene);

}  // namespace mla::ui
