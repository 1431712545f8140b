#pragma once

#include <QColor>
#include <QImage>
#include <QPainter>

#include "ui/views/view.h"

namespace mla::ui::sample {

/// What the view paints at that size.
inline QImage painted(View& view, const QSize& size) {
  QImage image(size, QImage::Format_RGB32);
  image.fill(Qt::magenta);
  QPainter painter(&image);
  view.paintTo(painter, size);
  return image;
}

/// Pixels of exactly that colour.
inline int count(const QImage& image, const QColor& color) {
  int n = 0;
  for (int y = 0; y < image.height(); ++y)
    for (int x = 0; x < image.width(); ++x) n += image.pixelColor(x, y) == color;
  return n;
}

}  // namespace mla::ui::sample
