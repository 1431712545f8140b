#include "ui/views/map_thumbnails.h"

#include <algorithm>
#include <cmath>

namespace mla::ui {
namespace {

float pooledCell(const float* map, int size, int used, int row, int column, int stride) {
  float largest = PooledMaps::empty;
  for (int i = row * stride; i < std::min(used, (row + 1) * stride); ++i) {
    for (int j = column * stride; j < std::min(i + 1, (column + 1) * stride); ++j) {
      largest = std::max(largest, map[std::size_t(i) * size + j]);
    }
  }
  return largest;
}

/// Cells of the map along each side of a pixel, where there are more cells than pixels.
int strideOf(const PooledMaps& maps, int pixels) { return std::max(1, (maps.used() + pixels - 1) / std::max(pixels, 1)); }

/// One row of a thumbnail, counted from query 0, up to the diagonal; the image ends with the last row.
void paintRow(QImage& image, const PooledMaps& maps, int head, int row, int stride, const ColorScale& scale,
              const MapColors& colors) {
  const float* map = maps.map(head);
  auto* line = reinterpret_cast<QRgb*>(image.scanLine(row - (image.width() - image.height())));
  for (int column = 0; column <= row; ++column) {
    const float value = stride == 1 ? map[std::size_t(row) * maps.size() + column]
                                    : pooledCell(map, maps.size(), maps.used(), row, column, stride);
    const QRgb hatch = (row + column) % 4 == 0 ? colors.missingInk : colors.missing;
    line[column] = value == PooledMaps::empty ? hatch : scale.color(value);
  }
}

}  // namespace

QRectF TileLayout::tileRect(int index) const {
  const int row = index / columns, column = index % columns;
  return {column * (tile + gap), row * (tile + label + gap) + label, tile, tile};
}

QRectF TileLayout::labelRect(int index) const {
  const QRectF square = tileRect(index);
  return {square.left(), square.top() - label, square.width(), label};
}

int TileLayout::tileAt(QPointF point) const {
  if (point.x() < 0 || point.y() < 0 || count == 0) return -1;
  const int column = int(point.x() / (tile + gap)), row = int(point.y() / (tile + label + gap));
  const int index = row * columns + column;
  if (column >= columns || index >= count) return -1;
  return tileRect(index).united(labelRect(index)).contains(point) ? index : -1;
}

double TileLayout::height() const {
  const int rows = (count + columns - 1) / columns;
  return rows * (tile + label + gap) - (rows > 0 ? gap : 0);
}

TileLayout arrangeTiles(const QSizeF& room, int count, double label, double smallest) {
  TileLayout best{count, 1, 0, label, label > 0 ? 6.0 : 3.0};
  for (int columns = 1; columns <= std::max(count, 1); ++columns) {
    const int rows = (count + columns - 1) / columns;
    const double across = (room.width() - (columns - 1) * best.gap) / columns;
    const double down = (room.height() - (rows - 1) * best.gap) / std::max(rows, 1) - label;
    const double tile = std::floor(std::min(across, down));
    if (tile > best.tile) {
      best.tile = tile;
      best.columns = columns;
    }
  }
  if (best.tile < smallest) {
    best.columns = std::max(1, int((room.width() + best.gap) / (smallest + best.gap)));
    best.tile = std::max(1.0, std::floor((room.width() - (best.columns - 1) * best.gap) / best.columns));
  }
  return best;
}

QImage thumbnailOf(const PooledMaps& maps, int head, int pixels, const ColorScale& scale, const MapColors& colors) {
  const int used = maps.used(), stride = strideOf(maps, pixels);
  const int side = (used + stride - 1) / stride;
  int first = 0;  // the first row of the picture that was recorded
  while (first + 1 < side && pooledCell(maps.map(head), maps.size(), used, first, 0, stride) == PooledMaps::empty) ++first;
  QImage image(std::max(side, 1), std::max(side - first, 1), QImage::Format_RGB32);
  image.fill(colors.above);
  for (int row = first; row < side; ++row) paintRow(image, maps, head, row, stride, scale, colors);
  return image;
}

void repaintNewest(QImage& image, const PooledMaps& maps, int head, int pixels, const ColorScale& scale,
                   const MapColors& colors) {
  paintRow(image, maps, head, image.width() - 1, strideOf(maps, pixels), scale, colors);
}

double largestOf(const PooledMaps& maps) {
  float largest = 0;
  for (int head = 0; head < maps.heads(); ++head) {
    for (int row = 0; row < maps.used(); ++row) {
      const float* line = maps.map(head) + std::size_t(row) * maps.size();
      for (int column = 0; column <= row; ++column) {
        if (line[column] != PooledMaps::empty) largest = std::max(largest, std::abs(line[column]));
      }
    }
  }
  return largest;
}

}  // namespace mla::ui
