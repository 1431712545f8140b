#include "ui/window/export_dialog.h"

#include <QDialogButtonBox>
#include <QFormLayout>
#include <QPushButton>

namespace mla::ui {
namespace {

QSpinBox* side(int value) {
  auto* box = new QSpinBox;
  box->setRange(64, 8192);
  box->setValue(value);
  return box;
}

}  // namespace

ExportDialog::ExportDialog(const std::vector<View*>& views, const View* chosen, QWidget* parent)
    : QDialog(parent), views_(views), view_(new QComboBox), format_(new QComboBox), width_(side(960)), height_(side(600)) {
  setWindowTitle(tr("Export view"));
  for (const View* view : views_) {
    view_->addItem(view->title());
    if (view == chosen) view_->setCurrentIndex(view_->count() - 1);
  }
  format_->addItem(tr("PNG, pixels at twice the size"), int(Format::png));
  format_->addItem(tr("SVG, vectors"), int(Format::svg));
  format_->addItem(tr("PDF, vectors"), int(Format::pdf));
  format_->addItem(tr("CSV, the numbers"), int(Format::csv));
  auto* form = new QFormLayout(this);
  form->addRow(tr("&View"), view_);
  form->addRow(tr("&Format"), format_);
  form->addRow(tr("&Width"), width_);
  form->addRow(tr("&Height"), height_);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
  buttons->addButton(tr("&Save as…"), QDialogButtonBox::AcceptRole);
  form->addRow(buttons);
  connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(format_, &QComboBox::currentIndexChanged, this, [this] {
    for (QWidget* box : {width_, height_}) box->setDisabled(format() == Format::csv);
  });
}

}  // namespace mla::ui
