#include "ui/controls/icons.h"

#include <QPainter>
#include <QPixmap>
#include <QSvgRenderer>

namespace mla::ui {
namespace {

QPixmap tinted(QSvgRenderer& drawing, int side, const QColor& color) {
  QPixmap pixmap(side, side);
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  drawing.render(&painter);
  painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
  painter.fillRect(pixmap.rect(), color);
  return pixmap;
}

}  // namespace

QIcon themed_icon(const QString& name, const QPalette& palette) {
  QSvgRenderer drawing(QStringLiteral(":/icons/%1.svg").arg(name));
  QIcon icon;
  for (const int side : {16, 20, 32, 64}) {
    icon.addPixmap(tinted(drawing, side, palette.color(QPalette::Active, QPalette::ButtonText)));
    icon.addPixmap(tinted(drawing, side, palette.color(QPalette::Disabled, QPalette::ButtonText)), QIcon::Disabled);
  }
  return icon;
}

}  // namespace mla::ui
