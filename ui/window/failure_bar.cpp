#include "ui/window/failure_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>

#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

constexpr int kEdge = 4;  // of full colour, so that the bar is not told by its tint alone

}  // namespace

FailureBar::FailureBar(QWidget* parent)
    : QWidget(parent), reason_(new QLabel), use_cpu_(new QPushButton(tr("Use the &CPU"))) {
  setObjectName(QStringLiteral("failure"));
  reason_->setWordWrap(true);
  reason_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  reason_->setAccessibleName(tr("Why the run ended"));
  use_cpu_->setAccessibleName(tr("Use the CPU"));
  use_cpu_->setToolTip(tr("Goes on with the tokens so far, computed by this machine's processor"));
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(kEdge + 8, 3, 8, 3);
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

void FailureBar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), warningTint(palette()));
  painter.fillRect(QRect(0, 0, kEdge, height()), seriesColor(1, isDark(palette())));
}

}  // namespace mla::ui
