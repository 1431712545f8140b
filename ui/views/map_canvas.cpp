#include "ui/views/map_canvas.h"

#include <QAccessible>
#include <QPaintEngine>
#include <algorithm>
#include <cmath>

#include "ui/views/map_axes.h"

namespace mla::ui {
namespace {

constexpr std::int64_t at_once_cells = 300000;

}  // namespace

MapCanvas::MapCanvas(QWidget* parent) : QWidget(parent) {
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(160, 120);
  setAttribute(Qt::WA_OpaquePaintEvent);
  grabGesture(Qt::PinchGesture);
  setAccessibleName(tr("Attention map"));
  connect(&renderer_, &MapRenderer::ready, this, &MapCanvas::receive);
}

void MapCanvas::setSource(const MapSource& source) {
  scene_.source = source;
  if (!source.empty()) viewport_.setExtent(source.firstQuery(), source.end());  // zoom and lock outlive a change of settings
  if (scene_.focus && scene_.focus->query >= source.end() && !source.empty()) unlock();
  scene_.window = viewport_.window();
  if (!request()) update();  // else the picture brings the repaint: one for each snapshot, not two
}

void MapCanvas::setTexts(const QString& title, const QString& note, const QString& message) {
  scene_.title = title;
  scene_.note = note;
  scene_.message = message;
}

void MapCanvas::setLog(bool on) {
  log_ = on;
  request();
}

void MapCanvas::setFollows(bool on) {
  viewport_.setFollows(on);
  viewMoved();
}

MapLayout MapCanvas::layoutFor(const QSizeF& size, const QFont& font) const {
  const QFontMetricsF metrics(font);
  return layoutMap(size, metrics, keyLabels(scene_.source, scene_.window, metrics));
}

MapLayout MapCanvas::layoutNow() const { return layoutFor(QSizeF(size()), font()); }

void MapCanvas::resetView() {
  viewport_.reset();
  viewMoved();
}

void MapCanvas::zoom(double factor) {
  const MapLayout layout = layoutNow();
  QPointF about = layout.plot.center();
  if (scene_.focus) {
    const QPointF focus(scene_.focus->key + 0.5 * scene_.focus->keys, scene_.focus->query + 0.5 * scene_.focus->queries);
    if (scene_.window.contains(focus)) about = layout.rectOf(QRectF(focus, QSizeF(0, 0)), scene_.window).topLeft();
  }
  zoomAt(factor, about);
}

void MapCanvas::zoomAt(double factor, QPointF point) {
  viewport_.zoom(factor, layoutNow().tokenAt(point, viewport_.window()));
  viewMoved();
}

void MapCanvas::panBy(QPointF pixels) {
  const QRectF plot = layoutNow().plot;
  viewport_.pan(
      {-pixels.x() / plot.width() * viewport_.window().width(), -pixels.y() / plot.height() * viewport_.window().height()});
  viewMoved();
}

void MapCanvas::viewMoved() {
  scene_.window = viewport_.window();
  request();
  update();
  emit viewChanged();
}

void MapCanvas::lock(int query, int key) {
  locked_row_ = key < 0 ? query : -1;
  scene_.locked = true;
  const AttentionRow* row = scene_.source.row(query);
  MapReading reading;
  if (key < 0 && row && largestOf(scene_.source, {query, 1, 0, row->keys}, reading)) key = reading.key;
  viewport_.reveal(query, std::max(key, 0));
  viewMoved();
  setFocusBlock(MapBlock{query, 1, std::max(key, 0), 1});
}

void MapCanvas::unlock() {
  scene_.locked = false;
  locked_row_ = -1;
  setFocusBlock(std::nullopt);
}

void MapCanvas::setFocusBlock(const std::optional<MapBlock>& block) {
  if (block != scene_.focus) {
    scene_.focus = block;
    setAccessibleDescription(readoutOf(scene_).join(QStringLiteral(", ")));
    QAccessibleEvent changed(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&changed);
  }
  update();
}

void MapCanvas::hover(QPointF point) {
  const MapLayout layout = layoutNow();
  const QPointF token = layout.tokenAt(point, scene_.window);
  const bool inside = layout.plot.contains(point) && token.x() < scene_.source.end() && token.y() < scene_.source.end();
  if (scene_.locked) {
    if (inside && locked_row_ >= 0) setFocusBlock(MapBlock{locked_row_, 1, int(token.x()), 1});
    return;
  }
  setFocusBlock(inside && !scene_.source.empty() ? std::optional(blockAt(token)) : std::nullopt);
}

/// What the picture shows as one cell at this point (in tokens).
MapBlock MapCanvas::blockAt(QPointF token) const { return scene_.source.keptBlock(scene_.picture.blockAt(token)); }

MapJob MapCanvas::job(const QSizeF& plot, double ratio) const {
  const QSize pixels = (plot * ratio).toSize().expandedTo({1, 1}).boundedTo({8192, 8192});
  return {scene_.source, scene_.window, pixels, log_, MapColors::from(palette())};
}

/// Asks for a picture of what is to be seen. True: it comes later.
bool MapCanvas::request() {
  if (!isVisible() || scene_.source.empty()) return false;
  MapJob wanted = job(layoutNow().plot.size(), devicePixelRatioF());
  // The first picture of a run is drawn at once where that takes a millisecond or two: an old one would be of other numbers.
  const bool at_once = scene_.picture.run != scene_.source.run && scene_.source.cells() <= at_once_cells;
  if (at_once) {
    MapGrid grid;
    scene_.picture = drawMap(wanted, grid);
  }
  renderer_.submit(std::move(wanted));
  return !at_once;
}

void MapCanvas::receive() {
  std::optional<MapPicture> picture = renderer_.take();
  if (!picture || picture->run != scene_.source.run) return;
  scene_.picture = std::move(*picture);
  update();
  emit pictureChanged();
}

void MapCanvas::paintTo(QPainter& painter, const QSizeF& size) const {
  MapScene scene = scene_;
  if (!scene_.locked) scene.focus.reset();
  scene.interactive = false;
  if (!scene.source.empty()) {
    const bool raster = painter.paintEngine() && painter.paintEngine()->type() == QPaintEngine::Raster;
    const double ratio = raster ? std::clamp(std::abs(painter.combinedTransform().m11()), 1.0, 4.0) : 2;
    MapGrid grid;
    scene.picture = drawMap(job(layoutFor(size, painter.font()).plot.size(), ratio), grid);
  }
  paintMap(painter, size, palette(), scene);
}

void MapCanvas::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setFont(font());
  paintMap(painter, QSizeF(size()), palette(), scene_);
  if (hasFocus()) {
    painter.setPen(QPen(palette().color(QPalette::Highlight), 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
  }
}

void MapCanvas::resizeEvent(QResizeEvent*) { request(); }

void MapCanvas::showEvent(QShowEvent*) { request(); }

void MapCanvas::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) request();
  QWidget::changeEvent(event);
}

}  // namespace mla::ui
