#include "ui/views/compare_view.h"

#include <QBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <algorithm>
#include <utility>

namespace mla::ui {

CompareView::CompareView(QWidget* parent)
    : View(parent), head_box_(new QSpinBox), log_box_(new QCheckBox(tr("&log colours"))), canvas_(new CompareCanvas) {
  head_box_->setToolTip(tr("The head whose weights are shown"));
  head_box_->setAccessibleName(tr("Head"));
  head_box_->setKeyboardTracking(false);
  log_box_->setChecked(scene_.log);
  log_box_->setToolTip(tr("Show the weights on a logarithmic scale; their difference is always linear"));
  log_box_->setAccessibleName(tr("Logarithmic colours of the weights"));
  auto* label = new QLabel(tr("&head"));
  label->setBuddy(head_box_);
  auto* bar = new QHBoxLayout;
  bar->setContentsMargins(8, 4, 8, 0);
  bar->addWidget(label);
  bar->addWidget(head_box_);
  bar->addSpacing(12);
  bar->addWidget(log_box_);
  bar->addStretch();
  auto* box = new QVBoxLayout(this);
  box->setContentsMargins({});
  box->setSpacing(0);
  box->addLayout(bar);
  box->addWidget(canvas_, 1);
  setFocusProxy(head_box_);
  connect(head_box_, &QSpinBox::valueChanged, this, &CompareView::setHead);
  connect(log_box_, &QCheckBox::toggled, this, &CompareView::setLog);
  setSnapshot({});
}

void CompareView::setSnapshot(const SnapshotPtr& snapshot) {
  const auto comparison = snapshot ? snapshot->comparison : nullptr;
  QString message = tr("Nothing to compare yet: pin a run (Ctrl+P), then change a setting.");
  if (snapshot && !snapshot->activity.isEmpty()) message = snapshot->activity;
  if (snapshot && !snapshot->error.isEmpty()) message = snapshot->error;
  if (snapshot && !snapshot->comparison_note.isEmpty()) message = snapshot->comparison_note;
  if (comparison == scene_.comparison && message == scene_.message) return;
  const auto heads = [](const auto& c) { return c ? std::pair(c->first.heads(), c->second.heads()) : std::pair(0, 0); };
  if (heads(scene_.comparison) != heads(comparison)) scene_.head = comparison ? most_different_head(*comparison) : 0;
  scene_.comparison = comparison;
  scene_.message = message;
  showScene();
}

void CompareView::setHead(int head) {
  scene_.head = std::clamp(head, 0, head_box_->maximum());
  showScene();
}

void CompareView::setLog(bool on) {
  scene_.log = on;
  showScene();
}

void CompareView::showScene() {
  const QSignalBlocker block_head(head_box_), block_log(log_box_);
  const int heads = scene_.comparison ? scene_.comparison->heads() : 0;
  head_box_->setEnabled(heads > 1);
  head_box_->setRange(0, std::max(0, heads - 1));
  head_box_->setSuffix(tr(" of %1").arg(heads));
  head_box_->setValue(scene_.head);
  log_box_->setEnabled(heads > 0);
  log_box_->setChecked(scene_.log);
  canvas_->setScene(scene_);
}

void CompareView::paintTo(QPainter& painter, const QSizeF& size) {
  painter.setFont(font());
  CompareImages images;
  paintCompare(painter, size, palette(), scene_, images);
}

}  // namespace mla::ui
