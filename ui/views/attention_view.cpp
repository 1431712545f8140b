#include "ui/views/attention_view.h"

#include <QLabel>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

namespace mla::ui {
namespace {

/// The box's range and how many there are; a box that is told so anew draws itself anew, too.
void showCount(QSpinBox* box, int first, int count) {
  const int last = first + std::max(1, count) - 1;
  const QString suffix = AttentionView::tr("/%1").arg(count);
  if (box->minimum() != first || box->maximum() != last) box->setRange(first, last);
  if (box->suffix() != suffix) box->setSuffix(suffix);
}

/// What the history lacks.
QString noteOf(const AttentionHistory& history) {
  QStringList parts;
  if (history.stride > 1)
    parts << AttentionView::tr("before token %1: 1 row in %2 kept").arg(history.whole_from).arg(history.stride);
  if (history.first > 0) parts << AttentionView::tr("rows before token %1 not kept").arg(history.first);
  return parts.join(QStringLiteral(", "));
}

}  // namespace

AttentionView::AttentionView(QWidget* parent)
    : View(parent),
      bar_(new QToolBar(this)),
      canvas_(new MapCanvas(this)),
      layer_(new QSpinBox(this)),
      head_box_(new QSpinBox(this)),
      values_(new QActionGroup(this)),
      scales_(new QActionGroup(this)),
      follow_(nullptr) {
  addSelectors();
  addValues();
  addScales();
  addNavigation();
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(bar_);
  layout->addWidget(canvas_, 1);
  setFocusProxy(canvas_);
  connect(canvas_, &MapCanvas::valueKeyPressed, this, &AttentionView::chooseValue);
  connect(canvas_, &MapCanvas::logToggled, this, [this] { setLog(!canvas_->log()); });
  connect(canvas_, &MapCanvas::viewChanged, this, [this] { follow_->setChecked(canvas_->viewport().follows()); });
  describe({});
}

void AttentionView::addSelectors() {
  layer_->setRange(1, 1);
  layer_->setPrefix(tr("layer "));
  layer_->setAccessibleName(tr("Layer"));
  layer_->setToolTip(tr("The layer whose attention is recorded and shown"));
  head_box_->setRange(0, 0);
  head_box_->setPrefix(tr("head h"));
  head_box_->setAccessibleName(tr("Head"));
  head_box_->setToolTip(tr("The head that is shown"));
  bar_->addWidget(layer_);
  bar_->addWidget(head_box_);
  connect(layer_, &QSpinBox::valueChanged, this, [this](int number) { emit requestChanged({true, number - 1, value_}); });
  connect(head_box_, &QSpinBox::valueChanged, this, [this](int head) {
    setHead(head);
    emit headChosen(head);
  });
}

QAction* AttentionView::addAction(const QString& text, const QString& tip, bool checkable) {
  auto* action = new QAction(text, this);
  action->setCheckable(checkable);
  action->setToolTip(tip);
  auto* button = new QToolButton(this);
  button->setDefaultAction(action);
  button->setAccessibleName(text);
  button->setAccessibleDescription(tip);
  bar_->addWidget(button);
  return action;
}

void AttentionView::addValues() {
  const QStringList names = {tr("weights"), tr("score"), tr("NoPE"), tr("RoPE")};
  const QStringList tips = {tr("Attention weights, after the softmax (1)"),
                            tr("Scaled scores, NoPE and RoPE part together (2)"), tr("The NoPE part of the scores (3)"),
                            tr("The RoPE part of the scores (4)")};
  for (int i = 0; i < names.size(); ++i) {
    QAction* action = addAction(names[i], tips[i], true);
    values_->addAction(action);
    connect(action, &QAction::triggered, this, [this, i] { chooseValue(MapValue(i)); });
  }
  values_->actions().front()->setChecked(true);
  bar_->addSeparator();
}

void AttentionView::addScales() {
  const QStringList names = {tr("linear"), tr("log")};
  const QStringList tips = {tr("Colours for weights in even steps from 0 to 1 (L changes)"),
                            tr("Colours for weights by powers of ten, which shows small ones too (L changes)")};
  for (int i = 0; i < names.size(); ++i) {
    QAction* action = addAction(names[i], tips[i], true);
    scales_->addAction(action);
    connect(action, &QAction::triggered, this, [this, i] { setLog(i == 1); });
  }
  scales_->actions().back()->setChecked(true);
}

void AttentionView::addNavigation() {
  QAction* fit = addAction(tr("fit"), tr("Show everything (0, or a double click)"), false);
  connect(fit, &QAction::triggered, canvas_, &MapCanvas::resetView);
  follow_ = addAction(tr("follow"), tr("Keep the newest token in sight; zooming and panning stop it"), true);
  follow_->setChecked(true);
  connect(follow_, &QAction::triggered, canvas_, &MapCanvas::setFollows);
}

void AttentionView::setSnapshot(const SnapshotPtr& snapshot) {
  snapshot_ = snapshot;
  refresh();
}

void AttentionView::refresh() {
  if (!snapshot_) return;
  const MapSource source = MapSource::from(*snapshot_, preview_ >= 0 ? preview_ : head_, value_);
  const QSignalBlocker block_layer(layer_), block_head(head_box_);
  showCount(layer_, 1, std::max(1, snapshot_->experiment.layers));
  showCount(head_box_, 0, source.heads());
  head_box_->setValue(std::min(head_, head_box_->maximum()));
  describe(source);
  canvas_->setSource(source);
}

void AttentionView::describe(const MapSource& source) {
  QString message = tr("No attention recorded yet: rows appear as tokens are decoded.");
  if (snapshot_ && !snapshot_->activity.isEmpty()) message = snapshot_->activity;
  if (snapshot_ && !snapshot_->error.isEmpty()) message = snapshot_->error;
  if (source.empty()) return canvas_->setTexts(tr("Attention"), {}, message);
  const QString title = tr("Layer %1 of %2, head h%3: %4")
                            .arg(source.history.layer + 1)
                            .arg(layer_->maximum())
                            .arg(source.head)
                            .arg(titleOf(value_));
  canvas_->setTexts(title, noteOf(source.history), message);
}

void AttentionView::setHead(int head) {
  head_ = std::max(head, 0);
  refresh();
}

void AttentionView::previewHead(int head) {
  preview_ = head;
  refresh();
}

void AttentionView::setLayer(int layer) {
  const QSignalBlocker block(layer_);
  layer_->setMaximum(std::max(layer_->maximum(), layer + 1));
  layer_->setValue(layer + 1);
}

void AttentionView::setValue(MapValue value) {
  value_ = value;
  values_->actions()[int(value)]->setChecked(true);
  scales_->setEnabled(value == MapValue::weight);
  refresh();
}

void AttentionView::chooseValue(MapValue value) {
  setValue(value);
  emit requestChanged({true, layer_->value() - 1, value});
}

void AttentionView::setLog(bool on) {
  scales_->actions()[on ? 1 : 0]->setChecked(true);
  canvas_->setLog(on);
}

std::vector<ViewOption> AttentionView::options() {
  std::vector<std::string> values;
  for (int i = 0; i < values_->actions().size(); ++i) values.emplace_back(name_of(MapValue(i)));
  return {{"values", values, int(value_), [this](int i) { chooseValue(MapValue(i)); }},
          {"colours", {"linear", "log"}, canvas_->log() ? 1 : 0, [this](int i) { setLog(i == 1); }}};
}

void AttentionView::lockQuery(int position) {
  if (position < 0) return canvas_->unlock();
  canvas_->lock(position, -1);
}

void AttentionView::paintTo(QPainter& painter, const QSizeF& size) {
  painter.setFont(font());
  canvas_->paintTo(painter, size);
}

Table AttentionView::table() const {
  Table table{{"query", "key", "query_token", "key_token", "weight", "score_nope", "score_rope"}, {}};
  const MapSource& source = canvas_->source();
  if (source.empty()) return table;
  const auto& rows = *source.history.rows;
  std::int64_t cells = 0;
  auto first = rows.end();
  while (first != rows.begin() && cells + (*(first - 1))->keys <= table_cells) cells += (*--first)->keys;
  const auto token = [&](int position) {
    return source.tokens && position < int(source.tokens->size()) ? (*source.tokens)[position].text : std::string();
  };
  const auto number = [](float value) { return QString::number(double(value), 'g', 9).toStdString(); };
  table.rows.reserve(cells);
  for (auto row = first; row != rows.end(); ++row) {
    for (int key = 0; key < (*row)->keys; ++key) {
      const MapReading reading = readCell(**row, source.head, key);
      table.rows.push_back({std::to_string(reading.query), std::to_string(key), token(reading.query), token(key),
                            number(reading.weight), number(reading.nope), number(reading.rope)});
    }
  }
  return table;
}

}  // namespace mla::ui
