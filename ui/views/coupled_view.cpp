#include "ui/views/coupled_view.h"

#include <QHelpEvent>
#include <QSignalBlocker>
#include <QToolTip>

#include "core/io/csv.h"

namespace mla::ui {

CoupledView::CoupledView(QWidget* parent)
    : View(parent),
      switch_(new QCheckBox(tr("&couple RoPE"))),
      head_box_(new HeadBox(tr("The head whose scores are shown"))),
      canvas_(new QWidget) {
  switch_->setChecked(true);
  switch_->setToolTip(tr("Apply RoPE to the up-projected keys and their queries, as plain MHA does"));
  switch_->setAccessibleName(tr("Couple RoPE with the up-projected keys"));
  layOutBelow(this, {switch_, head_box_}, canvas_);
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
  const QSignalBlocker silent(switch_);
  switch_->setChecked(scene_.coupled);
  head_box_->showHead(scene_.head, scene_.rope ? int(scene_.rope->heads.size()) : 0);
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
