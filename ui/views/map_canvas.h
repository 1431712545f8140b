#pragma once

#include <QWidget>
#include <optional>

#include "ui/views/map_painter.h"
#include "ui/views/map_viewport.h"

namespace mla::ui {

/// One head's map, large: shows, zooms, pans, hovers and locks. Its image is drawn off the window's thread.
class MapCanvas : public QWidget {
  Q_OBJECT
 public:
  explicit MapCanvas(QWidget* parent = nullptr);

  void setSource(const MapSource& source);
  /// Shown with the next source.
  void setTexts(const QString& title, const QString& note, const QString& message);
  void setLog(bool on);
  void setFollows(bool on);
  bool log() const { return log_; }
  const MapSource& source() const { return scene_.source; }
  const MapViewport& viewport() const { return viewport_; }
  /// What is on the screen: the scene of the last picture that came.
  const MapScene& scene() const { return scene_; }
  MapLayout layoutNow() const;

  void resetView();
  void zoom(double factor);  ///< about the cell in focus, or the middle
  /// Locks a query's row (`key` -1) or a cell.
  void lock(int query, int key);
  void unlock();

  /// Draws here and now at that size, with the image computed on this thread.
  void paintTo(QPainter& painter, const QSizeF& size) const;

 signals:
  void viewChanged();                         ///< zoomed, panned, reset, or follows
  void pictureChanged();                      ///< the picture of the newest request is on the screen
  void valueKeyPressed(mla::MapValue value);  ///< keys 1 to 4
  void logToggled();                          ///< key L

 protected:
  bool event(QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void showEvent(QShowEvent* event) override;
  void changeEvent(QEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  bool handleKey(int key, Qt::KeyboardModifiers modifiers);
  void moveCursor(int queries, int keys);
  void zoomAt(double factor, QPointF point);
  void panBy(QPointF pixels);
  void viewMoved();
  bool request();
  void receive();
  void hover(QPointF point);
  MapBlock blockAt(QPointF token) const;
  void setFocusBlock(const std::optional<MapBlock>& block);
  MapLayout layoutFor(const QSizeF& size, const QFont& font) const;
  MapJob job(const QSizeF& plot, double ratio) const;

  MapScene scene_;
  MapViewport viewport_;
  MapRenderer renderer_;
  bool log_ = true;
  int locked_row_ = -1;  ///< the query whose row is locked, while the key is free
  std::optional<MapBlock> before_press_;
  bool locked_before_press_ = false;
  bool pressed_ = false, dragged_ = false;
  QPointF press_, last_;
};

}  // namespace mla::ui
