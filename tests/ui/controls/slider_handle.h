#pragma once

#include <QSlider>
#include <QStyle>
#include <QStyleOptionSlider>

namespace mla::ui {

/// Where a slider's handle can be taken hold of.
inline QPoint handle_of(QSlider& slider) {
  QStyleOptionSlider option;
  option.initFrom(&slider);
  option.subControls = QStyle::SC_All;
  option.orientation = slider.orientation();
  option.minimum = slider.minimum();
  option.maximum = slider.maximum();
  option.sliderPosition = slider.sliderPosition();
  option.sliderValue = slider.value();
  return slider.style()->subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderHandle, &slider).center();
}

}  // namespace mla::ui
