// The rows of the experiment panel: which control each setting has, and what it is called.
#include <QLineEdit>
#include <QSignalBlocker>
#include <QThread>
#include <algorithm>

#include "core/model/model_catalog.h"
#include "core/spec/limits.h"
#include "core/spec/presets.h"
#include "core/tensor/kernels.h"
#include "ui/controls/experiment_panel.h"
#include "ui/controls/head_split_bar.h"
#include "ui/controls/setting_rules.h"
#include "ui/controls/wheel_guard.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

QComboBox* new_combo() {
  auto* combo = new QComboBox;
  combo->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  combo->setMinimumContentsLength(16);
  guard_wheel(combo);
  return combo;
}

int int_of(const Experiment& experiment, const std::string& setting) {
  return QString::fromStdString(value_of(experiment, setting)).toInt();
}

/// What a bundled model is called in the list.
QString titleOf(const std::string& model) {
  const Result<Experiment> experiment = experiment_of_model(model);
  const QString name = QString::fromStdString(model);
  if (!experiment) return name;
  const AttentionSpec& attention = experiment->spec.attention;
  const QString variant = QString::fromStdString(title_of(attention));
  return attention.elastic ? ExperimentPanel::tr("%1 (elastic %2)").arg(name, variant)
                           : ExperimentPanel::tr("%1 (%2)").arg(name, variant);
}

}  // namespace

void ExperimentPanel::addHeading(QGridLayout& grid, const QString& text) {
  auto* label = new QLabel(text);
  label->setFont(strongFont(label->font()));
  label->setContentsMargins(0, grid.count() == 0 ? 0 : 6, 0, 0);
  grid.addWidget(label, grid.rowCount(), 0, 1, 2);
}

void ExperimentPanel::add(QGridLayout& grid, const std::string& setting, QWidget* widget, const Words& words,
                          std::function<void()> show) {
  auto* label = new QLabel(words.label);
  label->setBuddy(widget);
  widget->setObjectName(QString::fromStdString(setting));
  widget->setAccessibleName(words.label);
  const int row = grid.rowCount();
  grid.addWidget(label, row, 0);
  grid.addWidget(widget, row, 1);
  controls_.push_back({setting, widget, label, words.tip, std::move(show)});
}

void ExperimentPanel::addSlider(QGridLayout& grid, const std::string& setting, const Words& words, const QString& zero) {
  const SettingRange range = range_of(experiment_, setting);
  auto* slider = new DimensionSlider(range.stops, range.low, range.high);
  slider->describe(words.label, words.tip);
  if (!zero.isEmpty()) slider->setZeroText(zero);
  connect(slider, &DimensionSlider::valueChosen, this, [=, this](int value) { choose(setting, std::to_string(value)); });
  add(grid, setting, slider, words, [=, this] {
    const SettingRange now = range_of(experiment_, setting);
    const int value = int_of(experiment_, setting);
    slider->setScale(now.stops, std::min(now.low, value), now.high);  // 0 where the setting means nothing
    slider->setValue(value);
  });
}

void ExperimentPanel::addNumber(QGridLayout& grid, const std::string& setting, const Words& words, int high,
                                const QString& zero) {
  auto* box = new QSpinBox;
  box->setKeyboardTracking(false);
  box->setRange(0, high);
  box->setSpecialValueText(zero);
  guard_wheel(box);
  connect(box, &QSpinBox::valueChanged, this, [=, this](int value) { choose(setting, std::to_string(value)); });
  add(grid, setting, box, words, [=, this] {
    const QSignalBlocker quiet(box);
    box->setValue(int_of(experiment_, setting));
  });
}

void ExperimentPanel::addDecimal(QGridLayout& grid, const std::string& setting, const Words& words, const Decimals& range,
                                 const QString& zero) {
  auto* box = new QDoubleSpinBox;
  box->setKeyboardTracking(false);
  box->setRange(range.low, range.high);
  box->setSingleStep(range.step);
  box->setSpecialValueText(zero);
  guard_wheel(box);
  connect(box, &QDoubleSpinBox::valueChanged, this,
          [=, this](double value) { choose(setting, QString::number(value, 'g', 4).toStdString()); });
  add(grid, setting, box, words, [=, this] {
    const QSignalBlocker quiet(box);
    box->setValue(QString::fromStdString(value_of(experiment_, setting)).toDouble());
  });
}

void ExperimentPanel::addChoice(QGridLayout& grid, const std::string& setting, const Words& words,
                                const std::vector<Choice>& choices) {
  QComboBox* combo = new_combo();
  for (const Choice& choice : choices) combo->addItem(choice.text, QString::fromStdString(choice.value));
  connect(combo, &QComboBox::activated, this, [=, this] { choose(setting, combo->currentData().toString().toStdString()); });
  add(grid, setting, combo, words, [=, this] {
    const QSignalBlocker quiet(combo);
    combo->setCurrentIndex(combo->findData(QString::fromStdString(value_of(experiment_, setting))));
  });
}

void ExperimentPanel::addLine(QGridLayout& grid, const std::string& setting, const Words& words) {
  auto* line = new QLineEdit;
  const auto commit = [=, this] {
    const std::string text = line->text().toStdString();
    if (text != value_of(experiment_, setting)) choose(setting, text);
  };
  connect(line, &QLineEdit::returnPressed, this, commit);
  add(grid, setting, line, words, [=, this] {
    if (line->hasFocus() && line->isModified()) return;  // somebody is typing
    line->setText(QString::fromStdString(value_of(experiment_, setting)));
    line->setCursorPosition(0);
  });
}

void ExperimentPanel::addPresets(QGridLayout& grid) {
  QComboBox* combo = new_combo();
  for (const std::string& model : bundled_models()) combo->addItem(titleOf(model), modelKey(model));
  const int random = combo->count();
  combo->addItem(QString(), QString());
  for (const Preset& preset : presets()) {
    combo->addItem(tr("%1, random weights").arg(QString::fromStdString(preset.title)), QString::fromStdString(preset.name));
    combo->setItemData(combo->count() - 1, QString::fromStdString(preset.note), Qt::ToolTipRole);
  }
  const int opened = combo->count();
  connect(combo, &QComboBox::activated, this, [=, this](int index) {
    if (index < opened) chooseModel(combo->itemData(index).toString());
  });
  const Words words{tr("Model"), tr("A trained model; or random weights, for bytes and milliseconds at any dimensions: a "
                                    "random block or the shape of a published model")};
  add(grid, "preset", combo, words, [=, this] {
    const QSignalBlocker quiet(combo);
    const Experiment& shown = experiment_.preset.empty() && experiment_.model.empty() ? experiment_ : default_experiment();
    combo->setItemText(random, tr("Random block (d=%1)").arg(shown.spec.attention.hidden_size));
    combo->removeItem(opened);
    const QString key = experiment_.model.empty() ? QString::fromStdString(experiment_.preset) : modelKey(experiment_.model);
    if (combo->findData(key) < 0) combo->addItem(QString::fromStdString(experiment_.model), key);
    combo->setCurrentIndex(combo->findData(key));
  });
}

void ExperimentPanel::addHead(QGridLayout& grid) {
  auto* bar = new HeadSplitBar;
  connect(bar, &HeadSplitBar::ropeChosen, this, [this](int rope) { choose("rope-dim", std::to_string(rope)); });
  const Words words{tr("Head split"),
                    tr("How a head's key is divided: NoPE values carry content, RoPE values also the position. "
                       "Drag the divider or use the arrow keys.")};
  add(grid, "rope-dim", bar, words, [=, this] {
    const AttentionSpec& attention = experiment_.spec.attention;
    bar->setSplit(attention.qk_nope_head_dim, attention.qk_rope_head_dim,
                  attention.elastic ? attention.elastic->qk_rope_head_dim : 0);
  });
  addNumber(grid, "nope-dim", {tr("NoPE size"), tr("Values of a head's key without position; the RoPE part stays as it is")},
            limits::nope_dim.high);
}

void ExperimentPanel::buildModel(QGridLayout& grid) {
  addHeading(grid, tr("Model"));
  addPresets(grid);
  addChoice(grid, "variant",
            {tr("Variant"), tr("What is cached for each token: all heads' keys and values (MHA), those of groups "
                               "(GQA), of one (MQA), or one latent (MLA)")},
            {{tr("MLA, one latent"), "mla"},
             {tr("MHA, every head"), "mha"},
             {tr("GQA, groups"), "gqa"},
             {tr("MQA, one head"), "mqa"}});
  paths_ = new_combo();
  connect(paths_, &QComboBox::activated, this,
          [this] { choose("attention", paths_->currentData().toString().toStdString()); });
  add(grid, "attention", paths_,
      {tr("Path"), tr("How attention is computed from the cache: from expanded keys and values, from the "
                      "latent expanded anew at each step, from the latent itself (absorbed), or without "
                      "a cache (everything is computed again)")},
      [this] { showPaths(); });
}

void ExperimentPanel::buildDimensions(QGridLayout& grid) {
  addHeading(grid, tr("Dimensions"));
  addSlider(grid, "kv-lora-rank",
            {tr("Latent"), tr("Values of the latent that keys and values are compressed to (kv_lora_rank)")}, tr("none"));
  addSlider(grid, "lens-rank",
            {tr("Rank lens"), tr("Cuts the keys and values of a trained model to their best directions, so many a layer "
                                 "(lens-rank): what a smaller latent would keep without new training")},
            tr("off"));
  addSlider(grid, "heads", {tr("Heads"), tr("Attention heads of the query (num_attention_heads)")});
  addSlider(grid, "kv-heads", {tr("KV heads"), tr("Heads of keys and values, GQA's groups (num_key_value_heads)")});
  addHead(grid);
  addSlider(grid, "v-head-dim",
            {tr("Value size"), tr("Values of a head's value (v_head_dim); in MHA, GQA and MQA of the whole head")});
  addSlider(grid, "q-lora-rank", {tr("Query latent"), tr("Values that the query is compressed to (q_lora_rank)")},
            tr("none"));
  addSlider(grid, "hidden-size", {tr("Hidden size"), tr("Width of the model (hidden_size)")});
}

void ExperimentPanel::buildRun(QGridLayout& grid) {
  addHeading(grid, tr("Run"));
  addSlider(grid, "layers", {tr("Layers"), tr("Layers that run")});
  addSlider(grid, "context", {tr("Context"), tr("Most tokens that the run may hold")});
  addSlider(grid, "prefill",
            {tr("Prefilled"), tr("Synthetic tokens that are in the cache from the start, to see long contexts at once")},
            tr("none"));
  addSlider(grid, "batch", {tr("Batch"), tr("Sequences decoded together; the first one is shown")});
  addChoice(grid, "cache-dtype", {tr("Cache"), tr("Precision of the numbers in the cache")},
            {{tr("fp32, 4 bytes"), "fp32"},
             {tr("fp16, 2 bytes"), "fp16"},
             {tr("bf16, 2 bytes"), "bf16"},
             {tr("fp8, 1 byte and scales"), "fp8"},
             {tr("int8, 1 byte and scales"), "int8"}});
  precision_ = new QLabel;
  precision_->setObjectName(QStringLiteral("precision"));
  precision_->setAccessibleName(tr("What the cache's precision changes"));
  precision_->setToolTip(tr("Measured beside the decode: the same tokens with this cache and with an fp32 one"));
  precision_->setWordWrap(true);
  precision_->hide();
  grid.addWidget(precision_, grid.rowCount(), 0, 1, 2);
  addChoice(
      grid, "weights-dtype",
      {tr("Weights"), tr("Type in which the weights' matrices are held (weights-dtype): as stored means that nothing is "
                         "rounded; vectors and routers always stay fp32")},
      {{tr("as stored, in fp32"), "stored"}, {tr("bf16, 2 bytes"), "bf16"}, {tr("int8, 1 byte and scales"), "int8"}});
}

void ExperimentPanel::buildMachine(QGridLayout& grid) {
  addHeading(grid, tr("Machine"));
  backend_box_ = new_combo();
  connect(backend_box_, &QComboBox::activated, this,
          [this] { choose("backend", backend_box_->currentData().toString().toStdString()); });
  add(grid, "backend", backend_box_, {tr("Backend"), tr("Where it is computed, as far as this machine has it")},
      [this] { showBackends(); });
  addNumber(grid, "threads", {tr("Threads"), tr("Threads that compute")}, std::max(1, QThread::idealThreadCount()),
            tr("all cores"));
  std::vector<Choice> sets{{tr("best: %1").arg(QString::fromUtf8(available_kernels().back()->name)), ""}};
  for (const Kernels* kernels : available_kernels()) sets.push_back({QString::fromUtf8(kernels->name), kernels->name});
  addChoice(grid, "isa",
            {tr("Instructions"), tr("Instruction set of the CPU's kernels (isa), as far as this machine has it")}, sets);
}

void ExperimentPanel::buildText(QGridLayout& grid) {
  addHeading(grid, tr("Text"));
  addLine(grid, "prompt", {tr("Prompt"), tr("Where the text begins; Return starts anew from it")});
  addLine(grid, "seed", {tr("Seed"), tr("Of the random weights, the synthetic input and the sampling; Return applies it")});
  addDecimal(grid, "temperature", {tr("Temperature"), tr("0 takes the likeliest token, more takes others too")}, {0, 5, 0.1},
             tr("0 (greedy)"));
  addNumber(grid, "top-k", {tr("Top k"), tr("Only so many of the likeliest tokens are sampled from")},
            int(limits::top_k.high), tr("all tokens"));
  addDecimal(grid, "top-p",
             {tr("Top p"), tr("Only the likeliest tokens are sampled from, as many as make up this share of probability")},
             {0.01, 1, 0.05}, {});
}

}  // namespace mla::ui
