#pragma once

#include <QPainter>
#include <QPalette>
#include <QString>
#include <QStringList>
#include <optional>

#include "ui/views/map_layout.h"
#include "ui/views/map_renderer.h"

namespace mla::ui {

/// All that the painting of a large map depends on.
struct MapScene {
  MapSource source;
  MapPicture picture;
  QRectF window;  ///< tokens in sight; the picture may still be of another window
  QString title;
  QString note;                   ///< a line in the title's place on the right, e.g. what is not kept
  QString message;                ///< instead of a map while there is none
  std::optional<MapBlock> focus;  ///< hovered, at the cursor or locked
  bool locked = false;
  bool interactive = true;  ///< on a screen, where the readout says what can be done
};

/// What the readout says about the scene's focus, or about the newest query.
QStringList readoutOf(const MapScene& scene);

/// Paints map, axes, sums, legend and readout, background included.
void paintMap(QPainter& painter, const QSizeF& size, const QPalette& palette, const MapScene& scene);

}  // namespace mla::ui
