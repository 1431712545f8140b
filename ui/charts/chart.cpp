#include "ui/charts/chart.h"

#include <QEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPaintEngine>
#include <QPainter>
#include <limits>

namespace mla::ui {

Chart::Chart(ChartKind kind, QWidget* parent) : QWidget(parent), kind_(kind), picture_(kind) {
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setAttribute(Qt::WA_OpaquePaintEvent);
}

Chart::~Chart() = default;

void Chart::setData(ChartData data) {
  if (data == data_) return;
  data_ = std::move(data);
  if (data_.headline != accessibleDescription()) setAccessibleDescription(data_.headline);
  setToolTip(data_.legend_note);  // whole, where the legend has no room for it
  invalidate();
}

void Chart::setCorner(QWidget* corner) {
  corner_ = corner;
  corner_->setParent(this);
  invalidate();
}

void Chart::paintTo(QPainter& painter, const QSizeF& size) const {
  ChartPicture picture(kind_);
  picture.show(data_, size, font(), palette());
  picture.paint(painter);
}

void Chart::layOut() {
  if (!stale_) return;
  picture_.show(data_, size(), font(), palette(), corner_ ? corner_->width() + 4 : 0);
  stale_ = false;
  if (mark_) mark_ = picture_.moved(*mark_, 0, 0);
}

const ChartPicture& Chart::picture() {
  layOut();
  return picture_;
}

QSize Chart::sizeHint() const { return QSize(24, 17) * fontMetrics().height(); }
QSize Chart::minimumSizeHint() const { return QSize(11, 8) * fontMetrics().height(); }

bool Chart::event(QEvent* event) {
  if (event->type() == QEvent::LayoutRequest && corner_) {
    corner_->adjustSize();
    invalidate();
  }
  return QWidget::event(event);
}

bool Chart::draw() {
  const qreal ratio = devicePixelRatioF();
  layOut();
  if ((!drawn_.isNull() && drawn_.devicePixelRatioF() == ratio) || size().isEmpty()) return false;
  drawn_ = QPixmap((QSizeF(size()) * ratio).toSize());
  drawn_.setDevicePixelRatio(ratio);
  QPainter painter(&drawn_);
  painter.setFont(font());
  picture_.paint(painter);
  return true;
}

/// On the screen a chart is drawn once and then copied: what repaints the window repaints all of them. Files get vectors.
void Chart::paintBody(QPainter& painter) {
  const bool to_screen =
      painter.paintEngine()->type() == QPaintEngine::Raster && painter.combinedTransform().type() <= QTransform::TxTranslate;
  if (!to_screen) {
    layOut();
    return picture_.paint(painter);
  }
  draw();
  painter.drawPixmap(0, 0, drawn_);
}

void Chart::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paintBody(painter);
  if (mark_) picture_.paintMark(painter, *mark_);
  if (!hasFocus()) return;
  painter.setRenderHint(QPainter::Antialiasing, false);
  painter.setPen(QPen(palette().color(QPalette::Highlight), 1));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void Chart::resizeEvent(QResizeEvent*) { invalidate(); }

void Chart::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) invalidate();
  QWidget::changeEvent(event);
}

void Chart::invalidate() {
  stale_ = true;
  drawn_ = QPixmap();
  if (corner_) {
    corner_->resize(corner_->sizeHint());
    corner_->move(width() - corner_->width() - 3, 3);
  }
  update();
}

void Chart::mouseMoveEvent(QMouseEvent* event) {
  const bool inside = picture().layout().plot.adjusted(-4, -8, 4, 4).contains(event->position());
  setMark(inside ? picture_.nearest(event->position()) : std::nullopt);
}

void Chart::leaveEvent(QEvent*) { setMark(std::nullopt); }

void Chart::keyPressEvent(QKeyEvent* event) {
  constexpr int all = std::numeric_limits<int>::max() / 2;
  const auto walk = [this](int points, int series) {
    const Mark newest{0, {picture().layout().x.max, 0}, {}, {}};  // of the first series
    setMark(mark_ ? picture().moved(*mark_, points, series) : picture().moved(newest, 0, 0));
  };
  switch (event->key()) {
    case Qt::Key_Left:
      return walk(-1, 0);
    case Qt::Key_Right:
      return walk(1, 0);
    case Qt::Key_Home:
      return walk(-all, 0);
    case Qt::Key_End:
      return walk(all, 0);
    case Qt::Key_Up:
      return walk(0, -1);
    case Qt::Key_Down:
      return walk(0, 1);
    case Qt::Key_Escape:
      if (mark_) return setMark(std::nullopt);
      break;
    default:
      break;
  }
  QWidget::keyPressEvent(event);
}

void Chart::setMark(std::optional<Mark> mark) {
  mark_ = std::move(mark);
  emit marked(mark_ ? mark_->text : QString());
  update();
}

}  // namespace mla::ui
