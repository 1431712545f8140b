// Mouse and keys of the heads' grid.
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QToolTip>
#include <algorithm>
#include <utility>

#include "ui/views/head_labels.h"
#include "ui/views/heads_view.h"
#include "ui/views/map_summary.h"

namespace mla::ui {

void HeadsView::setHead(int head) {
  head_ = std::max(0, head);
  update();
}

void HeadsView::setLog(bool on) {
  log_ = on;
  forgetImages();
  update();
}

void HeadsView::choose(int head) {
  if (head < 0 || head >= heads()) return;
  setHead(head);
  const QRectF tile = tileRect(head);
  const QRectF grid = frameNow().grid;
  if (tile.top() - frameNow().tiles.label < grid.top() || tile.bottom() > grid.bottom()) {
    scroll_->setValue(scroll_->value() + int(tile.center().y() - grid.center().y()));
  }
  emit headChosen(head);
}

void HeadsView::hover(int head) {
  if (std::exchange(hovered_, head) == head) return;
  update();
  emit headHovered(head);
}

QString HeadsView::tooltip(int head) const {
  const auto& rows = snapshot_->attention.rows;
  if (!rows || rows->empty() || head >= rows->back()->heads) return tr("head h%1").arg(head);
  HeadSummary newest;
  accumulate(newest, *rows->back(), head);
  const QString line = tr("head h%1, newest query %2: entropy %3 bits, largest weight %4")
                           .arg(head)
                           .arg(rows->back()->query)
                           .arg(fourDigits(newest.mean_entropy_bits), fourDigits(newest.max_weight));
  const HeadScore* score = headScore(*snapshot_, head);
  return score ? line + '\n' + kindsText(*score) : line;
}

bool HeadsView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    const int head = headAt(help->pos());
    if (head < 0) {
      QToolTip::hideText();
    } else {
      QToolTip::showText(help->globalPos(), tooltip(head), this, tileRect(head).toRect());
    }
    return true;
  }
  return View::event(event);
}

void HeadsView::resizeEvent(QResizeEvent*) {
  forgetImages();
  updateScrollBar();
}

void HeadsView::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
    forgetImages();
    updateScrollBar();
  }
  View::changeEvent(event);
}

void HeadsView::mouseMoveEvent(QMouseEvent* event) { hover(headAt(event->position())); }

void HeadsView::leaveEvent(QEvent*) { hover(-1); }

void HeadsView::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) choose(headAt(event->position()));
}

void HeadsView::wheelEvent(QWheelEvent* event) {
  scroll_->setValue(scroll_->value() - event->angleDelta().y() * scroll_->singleStep() / 120);
  event->accept();
}

void HeadsView::keyPressEvent(QKeyEvent* event) {
  const int columns = frameNow().tiles.columns, last = heads() - 1, now = std::min(head_, last);
  switch (event->key()) {
    case Qt::Key_Left:
      return choose(now - 1);
    case Qt::Key_Right:
      return choose(now + 1);
    case Qt::Key_Up:
      return choose(now - columns);
    case Qt::Key_Down:
      return choose(now + columns);
    case Qt::Key_Home:
      return choose(0);
    case Qt::Key_End:
      return choose(last);
    case Qt::Key_1:
    case Qt::Key_2:
    case Qt::Key_3:
    case Qt::Key_4:
      value_ = MapValue(event->key() - Qt::Key_1);
      emit requestChanged({true, layer_, value_});
      return;
    case Qt::Key_L:
      return setLog(!log_);
    default:
      View::keyPressEvent(event);
  }
}

}  // namespace mla::ui
