#include "ui/window/failure_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

namespace mla::ui {

FailureBar::FailureBar(QWidget* parent)
    : QWidget(parent), reason_(new QLabel), use_cpu_(new QPushButton(tr("Use the &CPU"))) {
  setObjectName(QStringLiteral("failure"));
  setAutoFillBackground(true);
  setBackgroundRole(QPalette::ToolTipBase);
  reason_->setWordWrap(true);
  reason_->setForegroundRole(QPalette::ToolTipText);
  reason_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  reason_->setAccessibleName(tr("Why the run ended"));
  use_cpu_->setAccessibleName(tr("Use the CPU"));
  use_cpu_->setToolTip(tr("Goes on with the tokens so far, computed by this machine's processor"));
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(8, 3, 8, 3);
  layout->addWidget(reason_, 1);
  layout->addWidget(use_cpu_);
  connect(use_cpu_, &QPushButton::clicked, this, &FailureBar::cpuWanted);
  hide();
}

void FailureBar::setSnapshot(const Snapshot& snapshot, const std::string& backend) {
  const bool elsewhere = snapshot.state == Snapshot::State::failed && backend != "cpu";
  if (elsewhere) reason_->setText(snapshot.error);
  setVisible(elsewhere);
}

}  // namespace mla::ui
