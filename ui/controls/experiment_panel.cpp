#include "ui/controls/experiment_panel.h"

#include <QEvent>
#include <QSignalBlocker>
#include <QStandardItemModel>
#include <QStyle>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>

#include "core/model/model_catalog.h"
#include "core/spec/presets.h"
#include "ui/controls/setting_rules.h"

namespace mla::ui {
namespace {

/// What a new model keeps of the present one: the machine, the sampling and the text.
Experiment carried_over(Experiment fresh, const Experiment& present) {
  fresh.cache_dtype = present.cache_dtype;
  fresh.backend = present.backend;
  fresh.threads = present.threads;
  fresh.isa = present.isa;
  fresh.seed = present.seed;
  fresh.sampling = present.sampling;
  fresh.prompt = present.prompt;
  return fresh;
}

constexpr QLatin1String kModelKey("model:");  // before a model's name, in the list of models and presets

/// The command line's "--heads 7: …" without its dashes.
QString without_dashes(const std::string& message) {
  const QString text = QString::fromStdString(message);
  return text.startsWith(QLatin1String("--")) ? text.mid(2) : text;
}

}  // namespace

ExperimentPanel::ExperimentPanel(QWidget* parent) : QWidget(parent), experiment_(default_experiment()) {
  auto* page = new QWidget;
  auto* grid = new QGridLayout(page);
  grid->setContentsMargins(8, 6, 8, 6);
  grid->setHorizontalSpacing(8);
  grid->setVerticalSpacing(4);
  grid->setColumnStretch(1, 1);
  buildModel(*grid);
  buildDimensions(*grid);
  buildRun(*grid);
  buildMachine(*grid);
  buildText(*grid);
  grid->setRowStretch(grid->rowCount(), 1);

  scroll_ = new QScrollArea;
  scroll_->setWidget(page);
  scroll_->setWidgetResizable(true);
  scroll_->setFrameShape(QFrame::NoFrame);
  scroll_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll_->setFocusPolicy(Qt::NoFocus);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(scroll_, 1);
  layout->addWidget(buildFoot());
  fitWidth();
  showAll();
}

/// Wide enough for every row and the scroll bar.
void ExperimentPanel::fitWidth() {
  constexpr int narrowest = 280;
  const int rows = scroll_->widget()->minimumSizeHint().width();
  scroll_->setMinimumWidth(std::max(narrowest, rows + style()->pixelMetric(QStyle::PM_ScrollBarExtent)));
}

void ExperimentPanel::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  // The rows hear of the font after the panel does.
  if (event->type() == QEvent::FontChange) QTimer::singleShot(0, this, &ExperimentPanel::fitWidth);
}

QWidget* ExperimentPanel::buildFoot() {
  auto* foot = new QWidget;
  auto* layout = new QVBoxLayout(foot);
  layout->setContentsMargins(8, 2, 8, 4);
  note_ = new QLabel;
  refusal_ = new QLabel;
  note_->setAccessibleName(tr("What follows from the settings"));
  refusal_->setAccessibleName(tr("Why the settings were refused"));
  for (QLabel* label : {note_, refusal_}) {
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->hide();
    layout->addWidget(label);
  }
  refusal_->setFrameShape(QFrame::StyledPanel);
  refusal_->setMargin(4);
  return foot;
}

QWidget* ExperimentPanel::control(const std::string& setting) const {
  const auto found =
      std::find_if(controls_.begin(), controls_.end(), [&](const Control& c) { return c.setting == setting; });
  return found == controls_.end() ? nullptr : found->widget;
}

void ExperimentPanel::setExperiment(const Experiment& experiment) {
  if (experiment == experiment_) return;
  experiment_ = experiment;
  showRefusal({});  // of what it replaces
  showAll();
}

void ExperimentPanel::showAll() {
  for (const Control& control : controls_) {
    control.show();
    const QString reason = reason_against(experiment_, control.setting);
    control.widget->setEnabled(reason.isEmpty());
    const QString tip = reason.isEmpty() ? control.tip : reason;
    control.label->setToolTip(tip);
    control.widget->setToolTip(tip);
    for (QWidget* part : control.widget->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly))
      part->setToolTip(tip);
  }
}

void ExperimentPanel::setBackends(const std::vector<BackendInfo>& backends) {
  const auto same = [](const BackendInfo& a, const BackendInfo& b) { return a.name == b.name && a.detail == b.detail; };
  if (std::equal(backends.begin(), backends.end(), backends_.begin(), backends_.end(), same)) return;
  backends_ = backends;
  showBackends();
}

void ExperimentPanel::choose(const std::string& setting, const std::string& value) {
  const Result<Experiment> next = apply(experiment_, {setting, value});
  if (next) return offer(*next, setting);
  showRefusal(without_dashes(next.error().message));
  showAll();
}

void ExperimentPanel::chooseModel(const QString& key) {
  if (key.startsWith(kModelKey)) {
    const Result<Experiment> trained = experiment_of_model(key.mid(qsizetype(kModelKey.size())).toStdString());
    if (trained) return offer(carried_over(*trained, experiment_), "preset");
    return showRefusal(without_dashes(trained.error().message));
  }
  const Result<Preset> preset = find_preset(key.toStdString());
  offer(carried_over(preset ? experiment_from(*preset) : default_experiment(), experiment_), "preset");
  if (preset) showNote(QString::fromStdString(preset->note));
}

QString ExperimentPanel::modelKey(const std::string& model) { return kModelKey + QString::fromStdString(model); }

void ExperimentPanel::offer(const Experiment& experiment, const std::string& asked) {
  if (const Status valid = validate(experiment); !valid) {
    showRefusal(without_dashes(valid.error().message));
    return showAll();
  }
  const QString followed = asked == "preset" ? QString() : what_followed(experiment_, experiment, asked);
  showNote(followed.isEmpty() ? QString() : tr("Follows from %1: %2").arg(QString::fromStdString(asked), followed));
  showRefusal({});
  experiment_ = experiment;
  showAll();
  emit experimentChosen(experiment_);
}

void ExperimentPanel::setPrecisionNote(const QString& text) {
  if (text == precision_->text()) return;
  precision_->setText(text);
  precision_->setVisible(!text.isEmpty());
}

void ExperimentPanel::showNote(const QString& note) {
  note_->setText(note);
  note_->setVisible(!note.isEmpty());
}

void ExperimentPanel::showRefusal(const QString& reason) {
  refusal_->setText(reason.isEmpty() ? QString() : tr("Not possible: %1").arg(without_dashes(reason.toStdString())));
  refusal_->setVisible(!reason.isEmpty());
}

void ExperimentPanel::showPaths() {
  const QSignalBlocker quiet(paths_);
  paths_->clear();
  for (const AttentionPath path : paths_of(experiment_.spec.attention.variant)) {
    const QString value = QString::fromLatin1(name_of(path).data());
    paths_->addItem(path == AttentionPath::reexpanded ? tr("re-expanded") : value, value);
  }
  paths_->setCurrentIndex(paths_->findData(QString::fromLatin1(name_of(experiment_.path).data())));
}

void ExperimentPanel::showBackends() {
  const QSignalBlocker quiet(backend_box_);
  backend_box_->clear();
  auto* items = qobject_cast<QStandardItemModel*>(backend_box_->model());
  for (const BackendInfo& backend : backends_) {
    const QString name = QString::fromStdString(backend.name).toUpper(), detail = QString::fromStdString(backend.detail);
    backend_box_->addItem(backend.available ? tr("%1: %2").arg(name, detail) : tr("%1 can't be used: %2").arg(name, detail),
                          QString::fromStdString(backend.name));
    const int last = backend_box_->count() - 1;
    backend_box_->setItemData(last, detail, Qt::ToolTipRole);
    items->item(last)->setEnabled(backend.available);
  }
  backend_box_->setCurrentIndex(backend_box_->findData(QString::fromStdString(experiment_.backend)));
}

}  // namespace mla::ui
