#include "ui/controls/dimension_slider.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <algorithm>

namespace mla::ui {

DimensionSlider::DimensionSlider(ValueScale scale, int low, int high, QWidget* parent)
    : QWidget(parent), scale_(std::move(scale)), slider_(new QSlider(Qt::Horizontal)), box_(new QSpinBox) {
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(slider_, 1);
  layout->addWidget(box_);
  slider_->setTracking(true);
  slider_->setMinimumWidth(70);
  slider_->setSingleStep(1);
  box_->setKeyboardTracking(false);  // half a number is no setting
  fitBox();
  setScale(scale_, low, high);
  setFocusProxy(slider_);
  connect(slider_, &QSlider::valueChanged, this, &DimensionSlider::chooseStop);
  connect(box_, &QSpinBox::valueChanged, this, &DimensionSlider::chooseNumber);
}

/// As wide as the longest number that there is, so that all boxes of a panel stand in line.
void DimensionSlider::fitBox() {
  constexpr int arrows = 30;
  box_->setFixedWidth(box_->fontMetrics().horizontalAdvance(QStringLiteral("1048576")) + arrows);
}

void DimensionSlider::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::FontChange) fitBox();
}

void DimensionSlider::setScale(const ValueScale& scale, int low, int high) {
  const QSignalBlocker quiet_slider(slider_), quiet_box(box_);
  scale_ = scale;
  slider_->setRange(0, scale_.size() - 1);
  slider_->setPageStep(std::max(1, scale_.size() / 6));
  box_->setRange(low, high);
  box_->setSpecialValueText(low == 0 ? zero_ : QString());
  slider_->setValue(scale_.nearest(box_->value()));
}

void DimensionSlider::setValue(int value) {
  const QSignalBlocker quiet_slider(slider_), quiet_box(box_);
  box_->setValue(value);
  // A stop may stand for several values; the one that is being dragged stays where it is.
  if (scale_.value(slider_->value()) != value) slider_->setValue(scale_.nearest(value));
}

void DimensionSlider::setZeroText(const QString& text) {
  zero_ = text;
  if (box_->minimum() == 0) box_->setSpecialValueText(text);
}

void DimensionSlider::describe(const QString& name, const QString& tip) {
  for (QWidget* part : {static_cast<QWidget*>(this), static_cast<QWidget*>(slider_), static_cast<QWidget*>(box_)}) {
    part->setAccessibleName(name);
    part->setToolTip(tip);
  }
}

void DimensionSlider::chooseStop(int stop) {
  const QSignalBlocker quiet(box_);
  box_->setValue(scale_.value(stop));
  emit valueChosen(box_->value());
}

void DimensionSlider::chooseNumber(int value) {
  const QSignalBlocker quiet(slider_);
  slider_->setValue(scale_.nearest(value));
  emit valueChosen(value);
}

}  // namespace mla::ui
