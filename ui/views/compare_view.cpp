#include "ui/views/compare_view.h"

#include <QSignalBlocker>
#include <algorithm>
#include <utility>

namespace mla::ui {

CompareView::CompareView(QWidget* parent)
    : View(parent),
      head_box_(new HeadBox(tr("The head whose weights are shown"))),
      log_box_(new QCheckBox(tr("&log colours"))),
      canvas_(new CompareCanvas) {
  log_box_->setChecked(scene_.log);
  log_box_->setToolTip(tr("Show the weights on a logarithmic scale; their difference is always linear"));
  log_box_->setAccessibleName(tr("Logarithmic colours of the weights"));
  layOutBelow(this, {head_box_, log_box_}, canvas_);
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
  const QSignalBlocker silent(log_box_);
  const int heads = scene_.comparison ? scene_.comparison->heads() : 0;
  head_box_->showHead(scene_.head, heads);
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
