#pragma once

#include <QComboBox>
#include <QDialog>
#include <QSpinBox>
#include <vector>

#include "ui/export/exporter.h"
#include "ui/views/view.h"

namespace mla::ui {

/// Asks which view to write to a file, in which format and size.
class ExportDialog : public QDialog {
  Q_OBJECT
 public:
  /// `chosen` is selected at first.
  ExportDialog(const std::vector<View*>& views, const View* chosen, QWidget* parent = nullptr);

  View* view() const { return views_[view_->currentIndex()]; }
  Format format() const { return Format(format_->currentData().toInt()); }
  /// In the units of the picture; a PNG has twice as many pixels.
  QSize size() const { return {width_->value(), height_->value()}; }

 private:
  std::vector<View*> views_;
  QComboBox* view_;
  QComboBox* format_;
  QSpinBox* width_;
  QSpinBox* height_;
};

}  // namespace mla::ui
