#pragma once

#include <QImage>
#include <QScrollBar>
#include <vector>

#include "ui/session/session.h"
#include "ui/views/map_thumbnails.h"
#include "ui/views/view.h"

namespace mla::ui {

/// All heads of the recorded layer as thumbnails of their attention maps.
class HeadsView : public View {
  Q_OBJECT
 public:
  explicit HeadsView(QWidget* parent = nullptr);

  QString viewName() const override { return QStringLiteral("heads"); }
  QString title() const override { return tr("Heads"); }
  void setSnapshot(const SnapshotPtr& snapshot) override;
  void paintTo(QPainter& painter, const QSizeF& size) override;
  /// A head a line: its entropy and where its weights lie, over the recorded queries.
  Table table() const override;
  std::vector<ViewOption> options() override {
    return {{"colours", {"linear", "log"}, log_ ? 1 : 0, [this](int i) { setLog(i == 1); }}};
  }

  int head() const { return head_; }
  /// Where a head's thumbnail lies on the widget at present.
  QRectF tileRect(int head) const;
  /// What the line above the heads says.
  QString headline() const;
  /// The scale of the colours shown.
  ColorScale scale() const { return scaleOf(snapshot_); }

 public slots:
  void setHead(int head);
  void setLayer(int layer) { layer_ = layer; }
  void setValue(mla::MapValue value) { value_ = value; }
  void setLog(bool on);

 signals:
  void headChosen(int head);
  void headHovered(int head);  ///< -1: none any more
  void requestChanged(mla::ui::AttentionRequest request);

 protected:
  bool event(QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  struct Frame {
    QRectF grid, legend;
    TileLayout tiles;
    QPointF origin;  ///< of the tiles: they stand in the middle of the grid
  };
  Frame frameFor(const QSizeF& size, const QFontMetricsF& metrics, double smallest) const;
  Frame frameNow() const;
  const PooledMaps* maps() const;
  int heads() const { return maps() ? maps()->heads() : 0; }
  int headAt(QPointF point) const;
  void paint(QPainter& painter, const QSizeF& size, const Frame& frame, double scrolled, std::vector<QImage>& images) const;
  void paintTile(QPainter& painter, const QRectF& tile, const QRectF& label, int head, QImage& image,
                 const ColorScale& scale, const MapColors& colors) const;
  ColorScale scaleOf(const SnapshotPtr& snapshot) const;
  QString tooltip(int head) const;
  void choose(int head);
  void hover(int head);
  void forgetImages();
  void updateScrollBar();

  SnapshotPtr snapshot_;
  int head_ = 0, hovered_ = -1, layer_ = 0;
  MapValue value_ = MapValue::weight;
  bool log_ = true;
  double largest_ = 0;               ///< magnitude of the scores in the thumbnails
  std::vector<QImage> images_;       ///< by head; null until it is painted
  mutable std::vector<bool> stale_;  ///< by head: whether the newest cells of its image are to be painted again
  QScrollBar* scroll_;
};

}  // namespace mla::ui
