#include "ui/views/coupled_view.h"

#include <QBoxLayout>
#include <QHelpEvent>
#include <QLabel>
#include <QToolTip>

#include "core/io/csv.h"

namespace mla::ui {

CoupledView::CoupledView(QWidget* parent)
    : View(parent), switch_(new QCheckBox(tr("&couple RoPE"))), head_box_(new QSpinBox), canvas_(new QWidget) {
  switch_->setChecked(true);
  switch_->setToolTip(tr("Apply RoPE to the up-projected keys and their queries, as plain MHA does"));
  switch_->setAccessibleName(tr("Couple RoPE with the up-projected keys"));
  head_box_->setToolTip(tr("The head whose scores are shown"));
  head_box_->setAccessibleName(tr("Head"));
  head_box_->setKeyboardTracking(false);
  auto* label = new QLabel(tr("&head"));
  label->setBuddy(head_box_);
  auto* bar = new QHBoxLayout;
  bar->setContentsMargins(8, 4, 8, 0);
  bar->addWidget(switch_);
  bar->addSpacing(12);
  bar->addWidget(label);
  bar->addWidget(head_box_);
  bar->addStretch();
  auto* box = new QVBoxLayout(this);
  box->setContentsMargins({});
  box->setSpacing(0);
  box->addLayout(bar);
  box->addWidget(canvas_, 1);
  canvas_->setMinimumSize(160, 90);
  canvas_->installEventFilter(this);
  setFocusProxy(switch_);
  connect(switch_, &QCheckBox::toggled, this, &CoupledView::setCoupled);
  connect(head_box_, &QSpinBox::valueChanged, this, &CoupledView::setHead);
  setSnapshot({});
}

void CoupledView::setSnapshot(const SnapshotPtr& snapshot) {
  const auto rope = snapshot ? snapshot->coupled : nullptr;
  QString message = tr("not computed yet: this experiment needs a trained MLA model with a vocabulary");
  if (snapshot && !snapshot->activity.isEmpty()) message = snapshot->activity;
  if (snapshot && !snapshot->error.isEmpty()) message = snapshot->error;
  if (snapshot && !snapshot->coupled_note.isEmpty()) message = snapshot->coupled_note;
  if (rope == scene_.rope && message == scene_.message) return;
  const bool other_shape = !scene_.rope || !rope || scene_.rope->heads.size() != rope->heads.size();
  scene_.rope = rope;
  scene_.message = message;
  if (other_shape) scene_.head = rope && !rope->heads.empty() ? rope->worst_head() : 0;
  showScene();
}

void CoupledView::setCoupled(bool coupled) {
  scene_.coupled = coupled;
  showScene();
}

void CoupledView::setHead(int head) {
  scene_.head = std::clamp(head, 0, head_box_->maximum());
  showScene();
}

void CoupledView::showScene() {
  const QSignalBlocker block_switch(switch_), block_head(head_box_);
  const int heads = scene_.rope ? int(scene_.rope->heads.size()) : 0;
  switch_->setChecked(scene_.coupled);
  head_box_->setEnabled(heads > 1);
  head_box_->setRange(0, std::max(0, heads - 1));
  head_box_->setSuffix(tr(" of %1").arg(heads));
  head_box_->setValue(scene_.head);
  canvas_->setAccessibleName(scene_.forms() ? coupledHeadline(scene_) : scene_.message);
  canvas_->update();
}

void CoupledView::paintTo(QPainter& painter, const QSizeF& size) { paintCoupled(painter, size, palette(), scene_); }

Table CoupledView::table() const {
  Table table{{"query", "key", "expanded", "absorbed", "difference"}, {}};
  const ScoreForms* forms = scene_.forms();
  if (!forms) return table;
  for (int query = 0; query < scene_.rope->tokens; ++query)
    for (int key = 0; key <= query; ++key) {
      const std::size_t at = std::size_t(query) * scene_.rope->tokens + key;
      const double expanded = forms->expanded[at], absorbed = forms->absorbed[at];
      table.rows.push_back({std::to_string(query), std::to_string(key), csv_number(expanded), csv_number(absorbed),
                            csv_number(expanded - absorbed)});
    }
  return table;
}

bool CoupledView::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::Paint) {
    QPainter painter(canvas_);
    paintTo(painter, QSizeF(canvas_->size()));
    return true;
  }
  if (event->type() != QEvent::ToolTip) return View::eventFilter(watched, event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const auto cell = coupledCellAt(QPointF(help->pos()), QSizeF(canvas_->size()), canvas_->font(), scene_);
  if (!cell) {
    QToolTip::hideText();
    return true;
  }
  const ScoreForms& forms = *scene_.forms();
  const std::size_t at = std::size_t(cell->query) * scene_.rope->tokens + cell->key;
  QToolTip::showText(help->globalPos(), tr("query %1, key %2\nexpanded %3\nabsorbed %4\ndifference %5")
                                            .arg(cell->query)
                                            .arg(cell->key)
                                            .arg(fourDigits(forms.expanded[at]), fourDigits(forms.absorbed[at]),
                                                 fourDigits(double(forms.expanded[at]) - forms.absorbed[at])));
  return true;
}

}  // namespace mla::ui
