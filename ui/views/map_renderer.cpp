#include "ui/views/map_renderer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>

#include "ui/views/map_viewport.h"

namespace mla::ui {
namespace {

/// Pixels of one line: for each, the block of keys it shows and the first key of that block (-1 outside the map).
struct Columns {
  std::vector<int> block, key;
};

int tokenAt(int pixel, int pixels, double from, double length, int end) {
  const int token = int(std::floor(from + (pixel + 0.5) * length / pixels));
  return token < 0 || token >= end ? -1 : token;
}

Columns columnsOf(const MapJob& job, int keyLevel) {
  Columns columns;
  for (int x = 0; x < job.pixels.width(); ++x) {
    const int token = tokenAt(x, job.pixels.width(), job.window.x(), job.window.width(), job.source.end());
    columns.block.push_back(token < 0 ? -1 : token >> keyLevel);
    columns.key.push_back(token < 0 ? -1 : token >> keyLevel << keyLevel);
  }
  return columns;
}

void paintRow(QRgb* line, const Columns& columns, std::span<const float> values, const ColorScale& scale, QRgb above,
              QRgb outside) {
  int known = -1;
  QRgb color = 0;
  for (std::size_t x = 0; x < columns.block.size(); ++x) {
    const int block = columns.block[x];
    if (block < 0) {
      line[x] = outside;
      continue;
    }
    if (block != known) color = std::size_t(block) < values.size() ? scale.color(values[block]) : above;
    known = block;
    line[x] = color;
  }
}

/// Queries that were not recorded: hatched up to the diagonal.
void paintMissing(QRgb* line, const Columns& columns, int lastQuery, int y, const MapColors& colors) {
  for (std::size_t x = 0; x < columns.key.size(); ++x) {
    const QRgb hatch = (int(x) + y) % 6 < 2 ? colors.missingInk : colors.missing;
    line[x] = columns.key[x] < 0 ? colors.background.rgb() : columns.key[x] > lastQuery ? colors.above : hatch;
  }
}

}  // namespace

MapBlock MapPicture::blockAt(QPointF token) const {
  const int key = int(std::floor(token.x())) >> keyLevel << keyLevel;
  const int query = int(std::floor(token.y())) >> queryLevel << queryLevel;
  return {query, 1 << queryLevel, key, 1 << keyLevel};
}

MapPicture drawMap(const MapJob& job, MapGrid& grid) {
  MapPicture picture;
  picture.run = job.source.run;
  picture.window = job.window;
  picture.queryLevel = poolLevel(job.window.height(), job.pixels.height());
  picture.keyLevel = poolLevel(job.window.width(), job.pixels.width());
  grid.update(job.source, picture.queryLevel, picture.keyLevel);
  picture.scale = ColorScale::of(job.source.value, job.log, job.source.end(), grid.largest());
  picture.rowSums = grid.rowSums();
  picture.columnSums = grid.columnSums();
  picture.image = QImage(job.pixels, QImage::Format_RGB32);

  const Columns columns = columnsOf(job, picture.keyLevel);
  std::vector<float> scratch;
  int painted = -1;  // the block of queries that the line above shows
  for (int y = 0; y < job.pixels.height(); ++y) {
    auto* line = reinterpret_cast<QRgb*>(picture.image.scanLine(y));
    const int query = tokenAt(y, job.pixels.height(), job.window.y(), job.window.height(), job.source.end());
    const MapBlock shown{query >> picture.queryLevel << picture.queryLevel, 1 << picture.queryLevel};
    const int block = query < 0 ? -1 : job.source.keptBlock(shown).query >> picture.queryLevel;
    if (block >= 0 && block == painted) {
      std::memcpy(line, picture.image.constScanLine(y - 1), sizeof(QRgb) * columns.block.size());
      continue;
    }
    const std::span<const float> values = block < 0 ? std::span<const float>() : grid.blockRow(block, scratch);
    painted = values.empty() ? -1 : block;
    if (block < 0) {
      std::fill_n(line, columns.block.size(), job.colors.background.rgb());
    } else if (values.empty()) {
      paintMissing(line, columns, shown.query + shown.queries - 1, y, job.colors);
    } else {
      paintRow(line, columns, values, picture.scale, job.colors.above, job.colors.background.rgb());
    }
  }
  return picture;
}

MapRenderer::~MapRenderer() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void MapRenderer::submit(MapJob job) {
  {
    const std::lock_guard lock(mutex_);
    job_ = std::move(job);
  }
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
  wake_.notify_one();
}

std::optional<MapPicture> MapRenderer::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(picture_, std::nullopt);
}

void MapRenderer::work(const std::stop_token& stop) {
  while (true) {
    std::optional<MapJob> job;
    {
      std::unique_lock lock(mutex_);
      if (!wake_.wait(lock, stop, [this] { return job_.has_value(); })) return;
      job = std::exchange(job_, std::nullopt);
    }
    const auto start = std::chrono::steady_clock::now();
    MapPicture picture = drawMap(*job, grid_);
    const auto took = std::chrono::steady_clock::now() - start;
    {
      const std::lock_guard lock(mutex_);
      picture_ = std::move(picture);
    }
    // Only a nudge goes through the event queue: the picture itself is handed over under the lock.
    QMetaObject::invokeMethod(this, "ready", Qt::QueuedConnection);
    // At most a quarter of a core: the engine's milliseconds are being measured beside this.
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, 3 * took, [] { return false; });
  }
}

}  // namespace mla::ui
