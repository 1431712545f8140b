#include "ui/views/control_row.h"

#include <QBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <algorithm>

namespace mla::ui {

HeadBox::HeadBox(const QString& tip) {
  setToolTip(tip);
  setAccessibleName(tr("Head"));
  setKeyboardTracking(false);
}

void HeadBox::showHead(int head, int heads) {
  const QSignalBlocker silent(this);
  setEnabled(heads > 1);
  setRange(0, std::max(0, heads - 1));
  setSuffix(tr(" of %1").arg(heads));
  setValue(head);
}

void layOutBelow(QWidget* view, const std::vector<QWidget*>& controls, QWidget* picture) {
  auto* row = new QHBoxLayout;
  row->setContentsMargins(8, 4, 8, 0);
  for (QWidget* control : controls) {
    if (row->count() > 0) row->addSpacing(12);
    if (auto* box = qobject_cast<HeadBox*>(control)) {
      auto* label = new QLabel(HeadBox::tr("&head"));
      label->setBuddy(box);
      row->addWidget(label);
    }
    row->addWidget(control);
  }
  row->addStretch();
  auto* column = new QVBoxLayout(view);
  column->setContentsMargins({});
  column->setSpacing(0);
  column->addLayout(row);
  column->addWidget(picture, 1);
}

}  // namespace mla::ui
