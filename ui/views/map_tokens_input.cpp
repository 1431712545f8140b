// Mouse and keys of the running text.
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QSignalBlocker>
#include <QToolTip>
#include <algorithm>
#include <utility>

#include "ui/views/tokens_view.h"

namespace mla::ui {

void TokensView::setHead(int head) {
  head_ = std::max(0, head);
  weigh();
  update();
}

void TokensView::setMean(bool on) {
  mean_ = on;
  const QSignalBlocker block(mean_button_);
  mean_button_->setChecked(on);
  weigh();
  update();
}

void TokensView::setLog(bool on) {
  log_ = on;
  update();
}

void TokensView::pinQuery(int position) {
  pinned_ = position;
  weigh();
  update();
}

int TokensView::tokenAt(QPointF point) const {
  const Frame frame = frameNow();
  return frame.text.contains(point) ? flow_.tokenAt(point - frame.text.topLeft() + QPointF(0, scroll_->value())) : -1;
}

void TokensView::point(int token) {
  if (std::exchange(pointed_, token) == token) return;
  setAccessibleDescription(readout());
  update();
}

void TokensView::choose(int token) {
  if (token < 0 || token >= tokenCount()) return;
  pinQuery(token);
  emit tokenChosen(token);
}

bool TokensView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    if (const int token = tokenAt(help->pos()); token >= 0) {
      QToolTip::showText(help->globalPos(), readout(), this, tokenRect(token).toRect());
    } else {
      QToolTip::hideText();
    }
    return true;
  }
  return View::event(event);
}

void TokensView::resizeEvent(QResizeEvent*) { layOut(); }

void TokensView::changeEvent(QEvent* event) {
  if (event->type() == QEvent::FontChange || event->type() == QEvent::PaletteChange) layOut();
  View::changeEvent(event);
}

void TokensView::mouseMoveEvent(QMouseEvent* event) { point(tokenAt(event->position())); }

void TokensView::leaveEvent(QEvent*) { point(-1); }

void TokensView::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) choose(tokenAt(event->position()));
}

void TokensView::wheelEvent(QWheelEvent* event) {
  scroll_->setValue(scroll_->value() - event->angleDelta().y() * 3 * scroll_->singleStep() / 120);
  event->accept();
}

void TokensView::keyPressEvent(QKeyEvent* event) {
  const int now = pointed_ >= 0 ? pointed_ : tokenCount() - 1;
  const auto move = [&](int to) {
    point(std::clamp(to, 0, std::max(0, tokenCount() - 1)));
    const QRectF rect = tokenCount() > 0 ? tokenRect(pointed_) : QRectF();
    const QRectF text = frameNow().text;
    if (rect.top() < text.top()) scroll_->setValue(scroll_->value() - int(text.top() - rect.top()) - 1);
    if (rect.bottom() > text.bottom()) scroll_->setValue(scroll_->value() + int(rect.bottom() - text.bottom()) + 1);
  };
  switch (event->key()) {
    case Qt::Key_Left:
      return move(now - 1);
    case Qt::Key_Right:
      return move(now + 1);
    case Qt::Key_Home:
      return move(0);
    case Qt::Key_End:
      return move(tokenCount() - 1);
    case Qt::Key_Return:
    case Qt::Key_Enter:
      return choose(pointed_);
    case Qt::Key_M:
      return setMean(!mean_);
    case Qt::Key_L:
      return setLog(!log_);
    case Qt::Key_Escape:
      if (pinned_ < 0) return View::keyPressEvent(event);
      pinQuery(-1);
      emit tokenChosen(-1);
      return;
    default:
      View::keyPressEvent(event);
  }
}

}  // namespace mla::ui
