// Mouse, wheel, touch and keys of the map.
#include <QApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QNativeGestureEvent>
#include <QPinchGesture>
#include <algorithm>
#include <cmath>
#include <utility>

#include "ui/views/map_canvas.h"

namespace mla::ui {

void MapCanvas::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return event->ignore();
  pressed_ = true;
  dragged_ = false;
  press_ = last_ = event->position();
  before_press_ = scene_.focus;
  locked_before_press_ = scene_.locked;
}

void MapCanvas::mouseMoveEvent(QMouseEvent* event) {
  const QPointF point = event->position();
  if (pressed_ && !dragged_) dragged_ = (point - press_).manhattanLength() >= QApplication::startDragDistance();
  if (!pressed_ || !dragged_) return hover(point);
  setCursor(Qt::ClosedHandCursor);
  panBy(point - last_);
  last_ = point;
}

void MapCanvas::mouseReleaseEvent(QMouseEvent* event) {
  if (!std::exchange(pressed_, false)) return event->ignore();
  unsetCursor();
  if (dragged_) return hover(event->position());
  scene_.locked = false;
  locked_row_ = -1;
  hover(event->position());
  scene_.locked = scene_.focus.has_value();
  update();
}

void MapCanvas::mouseDoubleClickEvent(QMouseEvent*) {
  scene_.locked = locked_before_press_;  // the first of the two clicks was no lock
  setFocusBlock(before_press_);
  resetView();
}

void MapCanvas::leaveEvent(QEvent*) {
  if (!scene_.locked) setFocusBlock(std::nullopt);
}

void MapCanvas::wheelEvent(QWheelEvent* event) {
  const double notches = event->angleDelta().y() / 120.0;
  if (notches == 0 || scene_.source.empty()) return event->ignore();
  zoomAt(std::pow(1.25, notches), event->position());
  hover(event->position());
  event->accept();
}

bool MapCanvas::event(QEvent* event) {
  if (event->type() == QEvent::NativeGesture) {
    const auto* gesture = static_cast<QNativeGestureEvent*>(event);
    if (gesture->gestureType() == Qt::ZoomNativeGesture) {
      zoomAt(1 + gesture->value(), gesture->position());
      return true;
    }
  }
  if (event->type() == QEvent::Gesture) {
    if (const auto* pinch = static_cast<QPinchGesture*>(static_cast<QGestureEvent*>(event)->gesture(Qt::PinchGesture))) {
      zoomAt(pinch->scaleFactor(), mapFromGlobal(pinch->centerPoint()));
      return true;
    }
  }
  return QWidget::event(event);
}

void MapCanvas::moveCursor(int queries, int keys) {
  if (scene_.source.empty()) return;
  const int first = scene_.source.firstQuery(), last = scene_.source.end() - 1;
  MapBlock block = blockAt(QPointF(last, last));
  if (scene_.focus) {
    block = blockAt(QPointF(scene_.focus->key, scene_.focus->query));
    const int query = std::clamp(block.query + queries * block.queries,
                                 first >> scene_.picture.queryLevel << scene_.picture.queryLevel, last);
    block = blockAt(QPointF(std::clamp(block.key + keys * block.keys, 0, last), query));
  }
  scene_.locked = false;
  locked_row_ = -1;
  viewport_.reveal(std::max(block.query, first), block.key);
  viewMoved();
  setFocusBlock(block);
}

void MapCanvas::keyPressEvent(QKeyEvent* event) {
  if (!handleKey(event->key(), event->modifiers())) QWidget::keyPressEvent(event);
}

bool MapCanvas::handleKey(int key, Qt::KeyboardModifiers modifiers) {
  if (modifiers & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier)) return false;
  const int dx = (key == Qt::Key_Right) - (key == Qt::Key_Left), dy = (key == Qt::Key_Down) - (key == Qt::Key_Up);
  if (dx || dy) {
    const QRectF plot = layoutNow().plot;
    if (modifiers & Qt::ShiftModifier) {
      panBy({-dx * plot.width() / 8, -dy * plot.height() / 8});
    } else {
      moveCursor(dy, dx);
    }
    return true;
  }
  switch (key) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      zoom(1.25);
      return true;
    case Qt::Key_Minus:
      zoom(1 / 1.25);
      return true;
    case Qt::Key_0:
      resetView();
      return true;
    case Qt::Key_1:
    case Qt::Key_2:
    case Qt::Key_3:
    case Qt::Key_4:
      emit valueKeyPressed(MapValue(key - Qt::Key_1));
      return true;
    case Qt::Key_L:
      emit logToggled();
      return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      scene_.locked = scene_.focus.has_value();
      update();
      return true;
    case Qt::Key_Escape:
      if (!scene_.focus) return false;
      unlock();
      return true;
    default:
      return false;
  }
}

}  // namespace mla::ui
