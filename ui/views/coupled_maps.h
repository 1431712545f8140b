#pragma once

#include <QImage>
#include <QPainter>
#include <QPalette>
#include <array>
#include <optional>

#include "core/analysis/coupled_rope.h"
#include "ui/views/color_map.h"

namespace mla::ui {

/// One head of the experiment, as three maps: expanded scores, absorbed scores, their difference, on one colour scale.
struct CoupledScene {
  std::shared_ptr<const CoupledRope> rope;
  int head = 0;
  bool coupled = true;  ///< RoPE on the up-projected keys; else as the model is
  QString message;      ///< instead of maps while there are none

  const ScoreForms* forms() const;
};

/// A cell of one of the maps.
struct CoupledCell {
  int map = 0;  ///< 0 expanded, 1 absorbed, 2 difference
  int query = 0, key = 0;
};

/// What the experiment shows in one sentence, the largest difference printed.
QString coupledHeadline(const CoupledScene& scene);

/// The scale of all three maps: symmetric about 0, as far as the largest magnitude of any.
ColorScale coupledScale(const ScoreForms& forms);

/// Paints titles, maps, legend and explanation, background included.
void paintCoupled(QPainter& painter, const QSizeF& size, const QPalette& palette, const CoupledScene& scene);

/// The cell under a point of that painting, where there is one.
std::optional<CoupledCell> coupledCellAt(const QPointF& point, const QSizeF& size, const QFont& font,
                                         const CoupledScene& scene);

}  // namespace mla::ui
