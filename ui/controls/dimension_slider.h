#pragma once

#include <QSlider>
#include <QSpinBox>
#include <QWidget>

#include "ui/controls/value_scale.h"

namespace mla::ui {

/// A slider over chosen stops with a box for any other number. Acts while it is dragged, the button still down.
class DimensionSlider : public QWidget {
  Q_OBJECT
 public:
  /// The box takes `low` to `high`.
  DimensionSlider(ValueScale scale, int low, int high, QWidget* parent = nullptr);

  int value() const { return box_->value(); }
  /// Shows a value without telling anybody.
  void setValue(int value);
  /// Other stops and another range; the value stays where it can.
  void setScale(const ValueScale& scale, int low, int high);
  /// What the two parts are called by screen readers and tooltips.
  void describe(const QString& name, const QString& tip);
  /// What the box shows for 0, e.g. "none".
  void setZeroText(const QString& text);

  QSlider* slider() const { return slider_; }
  QSpinBox* box() const { return box_; }

 signals:
  void valueChosen(int value);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void fitBox();
  void chooseStop(int stop);
  void chooseNumber(int value);

  ValueScale scale_;
  QString zero_;
  QSlider* slider_;
  QSpinBox* box_;
};

}  // namespace mla::ui
