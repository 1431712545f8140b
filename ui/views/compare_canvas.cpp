#include "ui/views/compare_canvas.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <algorithm>
#include <utility>

namespace mla::ui {

CompareCanvas::CompareCanvas(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setMinimumSize(160, 90);
  setToolTip(tr("Point at a cell, or walk by the arrow keys: its numbers on all three maps. Esc: none."));
}

void CompareCanvas::setScene(CompareScene scene) {
  scene.interactive = true;
  scene.focus = scene_.focus;
  if (scene.empty() || (scene.focus && scene.focus->query >= scene.comparison->tokens())) scene.focus.reset();
  scene_ = std::move(scene);
  describe();
  update();
}

/// For screen readers: the headline is the name; the table and the cell in focus are the description.
void CompareCanvas::describe() {
  setAccessibleName(scene_.empty() ? scene_.message : compareHeadline(scene_));
  QStringList lines;
  if (scene_.focus) lines << compareReadout(scene_);
  if (!scene_.empty()) {
    const QStringList columns = compareColumns();
    for (const CompareQuantity& quantity : compareQuantities(*scene_.comparison)) {
      QStringList cells = cellsOf(quantity);
      for (int i = 1; i < cells.size(); ++i) cells[i].prepend(columns[i] + QLatin1Char(' '));
      lines << cells.join(QStringLiteral(", "));
    }
  }
  setAccessibleDescription(lines.join(QLatin1Char('\n')));
}

void CompareCanvas::setFocusCell(const std::optional<TriangleCell>& cell) {
  if (scene_.focus == cell) return;
  scene_.focus = cell;
  describe();
  update();
}

void CompareCanvas::moveCell(int queries, int keys) {
  if (scene_.empty()) return;
  const int last = scene_.comparison->tokens() - 1;
  if (!scene_.focus) return setFocusCell(TriangleCell{last, last});
  TriangleCell cell = *scene_.focus;
  cell.query = std::clamp(cell.query + queries, 0, last);
  cell.key = std::clamp(cell.key + keys, 0, cell.query);
  setFocusCell(cell);
}

void CompareCanvas::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setFont(font());
  paintCompare(painter, QSizeF(size()), palette(), scene_, images_);
  if (!hasFocus()) return;
  painter.setPen(QPen(palette().color(QPalette::Highlight), 1));
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

void CompareCanvas::mouseMoveEvent(QMouseEvent* event) {
  setFocusCell(compareCellAt(event->position(), QSizeF(size()), font(), scene_));
}

void CompareCanvas::leaveEvent(QEvent*) {
  if (!hasFocus()) setFocusCell(std::nullopt);
}

void CompareCanvas::keyPressEvent(QKeyEvent* event) {
  const int key = event->key();
  const int dx = (key == Qt::Key_Right) - (key == Qt::Key_Left), dy = (key == Qt::Key_Down) - (key == Qt::Key_Up);
  if (key == Qt::Key_Escape && scene_.focus) return setFocusCell(std::nullopt);
  if ((dx || dy) && event->modifiers() == Qt::NoModifier) return moveCell(dy, dx);
  QWidget::keyPressEvent(event);
}

}  // namespace mla::ui
