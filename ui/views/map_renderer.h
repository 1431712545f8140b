#pragma once

#include <QImage>
#include <QObject>
#include <QRectF>
#include <QSize>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ui/views/color_map.h"
#include "ui/views/map_grid.h"

namespace mla::ui {

/// What to draw: the tokens in `window` (x keys, y queries) over `pixels`.
struct MapJob {
  MapSource source;
  QRectF window;
  QSize pixels;
  bool log = true;
  MapColors colors;
};

/// A drawn map and all that goes with it.
struct MapPicture {
  quint64 run = 0;
  QImage image;
  QRectF window;
  int queryLevel = 0, keyLevel = 0;  ///< a cell of the picture covers 2^level tokens
  ColorScale scale = ColorScale::forWeights(true, 1);
  std::vector<double> rowSums, columnSums;

  /// The block of tokens that the cell over this point (in tokens) covers.
  MapBlock blockAt(QPointF token) const;
};

/// Draws at once, on the caller's thread; `grid` keeps what the next call can use again.
MapPicture drawMap(const MapJob& job, MapGrid& grid);

/// Draws on a thread of its own. The newest job wins: one that has not begun yet is forgotten.
class MapRenderer : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;
  ~MapRenderer() override;
  void submit(MapJob job);
  /// The newest picture since the last call, if there is one.
  std::optional<MapPicture> take();

 signals:
  void ready();  ///< on the receiver's thread: take() has a picture

 private:
  void work(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<MapJob> job_;          ///< guarded by mutex_
  std::optional<MapPicture> picture_;  ///< guarded by mutex_
  MapGrid grid_;                       ///< the thread's own
  std::jthread thread_;
};

}  // namespace mla::ui
