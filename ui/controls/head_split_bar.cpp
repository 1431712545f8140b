#include "ui/controls/head_split_bar.h"

#include <QMouseEvent>
#include <QPainter>
#include <QSignalBlocker>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"

namespace mla::ui {

HeadSplitBar::HeadSplitBar(QWidget* parent) : QAbstractSlider(parent) {
  setOrientation(Qt::Horizontal);
  setSingleStep(2);
  setPageStep(16);
  setFocusPolicy(Qt::StrongFocus);
  setCursor(Qt::SplitHCursor);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(this, &QAbstractSlider::valueChanged, this, [this] {
    update();
    emit ropeChosen(rope());
  });
}

void HeadSplitBar::setSplit(int nope, int rope, int full_rope) {
  const QSignalBlocker quiet(this);
  trained_nope_ = full_rope > 0 ? nope : 0;
  const int head = nope + std::max(rope, full_rope);
  setRange(full_rope > 0 ? nope : head % 2, head);
  setValue(head - rope);
  setAccessibleDescription(tr("%1 NoPE and %2 RoPE values").arg(nope).arg(rope));
  update();
}

QSize HeadSplitBar::sizeHint() const { return {160, fontMetrics().height() + 12}; }

int HeadSplitBar::dividerX() const {
  return maximum() > 0 ? int(std::lround(double(width()) * value() / maximum())) : width();
}

int HeadSplitBar::nopeAt(double x) const {
  const double pairs = (1 - x / std::max(1, width())) * maximum() / 2;
  return std::clamp(maximum() - 2 * int(std::lround(pairs)), minimum(), maximum());
}

void HeadSplitBar::paintPart(QPainter& painter, const QRect& area, const QString& name, int values, int color) const {
  const bool dark = isDark(palette());
  const QColor hue = seriesColor(color, dark);
  painter.fillRect(area, blend(palette().color(QPalette::Base), hue, isEnabled() ? 0.45 : 0.15));
  const QString full = tr("%1 %2").arg(name).arg(values);
  const auto fits = [&](const QString& text) { return fontMetrics().horizontalAdvance(text) + 8 <= area.width(); };
  const QString text = fits(full) ? full : QString::number(values);
  painter.setPen(palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, QPalette::Text));
  if (fits(text)) painter.drawText(area, Qt::AlignCenter, text);
}

void HeadSplitBar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const int x = dividerX();
  const int kept = trained_nope_ > 0 ? int(std::lround(double(width()) * nope() / maximum())) : x;
  paintPart(painter, QRect(0, 0, kept, height()), tr("NoPE"), nope(), 0);
  if (x > kept)
    painter.fillRect(QRect(kept, 0, x - kept, height()),
                     QBrush(palette().color(QPalette::Disabled, QPalette::Text), Qt::BDiagPattern));
  paintPart(painter, QRect(x, 0, width() - x, height()), tr("RoPE"), rope(), 1);
  painter.setPen(palette().color(hasFocus() ? QPalette::Highlight : QPalette::Mid));
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
  if (hasFocus()) painter.drawRect(rect().adjusted(1, 1, -2, -2));
  if (!isEnabled()) return;
  const int handle = std::clamp(x - 1, 0, width() - 3);
  painter.fillRect(QRect(handle, 0, 3, height()), palette().color(hasFocus() ? QPalette::Highlight : QPalette::Text));
}

void HeadSplitBar::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  setSliderDown(true);
  setSliderPosition(nopeAt(event->position().x()));
}

void HeadSplitBar::mouseMoveEvent(QMouseEvent* event) {
  if (isSliderDown()) setSliderPosition(nopeAt(event->position().x()));
}

void HeadSplitBar::mouseReleaseEvent(QMouseEvent*) { setSliderDown(false); }

}  // namespace mla::ui
