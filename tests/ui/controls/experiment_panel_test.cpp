#include "ui/controls/experiment_panel.h"

#include <gtest/gtest.h>

#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>
#include <QStandardItemModel>
#include <QTest>

#include "core/model/model_catalog.h"
#include "core/spec/presets.h"
#include "tests/ui/controls/slider_handle.h"
#include "ui/controls/head_split_bar.h"
#include "ui/controls/setting_rules.h"

namespace mla::ui {
namespace {

class ExperimentPanelTest : public testing::Test {
 protected:
  ExperimentPanelTest() {
    QObject::connect(&panel_, &ExperimentPanel::experimentChosen, [this](const Experiment& e) { chosen_.push_back(e); });
    panel_.resize(340, 900);
    panel_.show();
  }
  template <class Widget>
  Widget& control(const std::string& setting) {
    auto* widget = dynamic_cast<Widget*>(panel_.control(setting));
    if (!widget) throw std::logic_error(setting + " has no such control");
    return *widget;
  }
  DimensionSlider& slider(const std::string& setting) { return control<DimensionSlider>(setting); }
  QString foot(const char* name) const {
    for (const QLabel* label : panel_.findChildren<QLabel*>()) {
      if (label->accessibleName() == name && label->isVisible()) return label->text();
    }
    return {};
  }
  QString refusal() const { return foot("Why the settings were refused"); }
  QString note() const { return foot("What follows from the settings"); }

  ExperimentPanel panel_;
  std::vector<Experiment> chosen_;
};

TEST_F(ExperimentPanelTest, EverySliderChangesItsSettingByAKey) {
  for (const std::string setting :
       {"kv-lora-rank", "heads", "v-head-dim", "q-lora-rank", "hidden-size", "layers", "context", "prefill", "batch"}) {
    const std::string before = value_of(panel_.experiment(), setting);
    QTest::keyClick(slider(setting).slider(), Qt::Key_Right);
    ASSERT_FALSE(chosen_.empty()) << setting;
    EXPECT_NE(value_of(chosen_.back(), setting), before) << setting;
    EXPECT_EQ(value_of(panel_.experiment(), setting), value_of(chosen_.back(), setting));
  }
}

TEST_F(ExperimentPanelTest, SaysWhatTheCachesPrecisionChanges) {
  EXPECT_TRUE(foot("What the cache's precision changes").isEmpty());
  panel_.setPrecisionNote("up to 0.01 apart");
  EXPECT_EQ(foot("What the cache's precision changes"), "up to 0.01 apart");
  panel_.setPrecisionNote({});
  EXPECT_TRUE(foot("What the cache's precision changes").isEmpty());
}

TEST_F(ExperimentPanelTest, TheLatentActsWhileItIsDragged) {
  QSlider* latent = slider("kv-lora-rank").slider();
  const QPoint handle = handle_of(*latent);
  QTest::mousePress(latent, Qt::LeftButton, {}, handle);
  for (int x = handle.x(); x >= -8; x -= 4) QTest::mouseMove(latent, QPoint(x, latent->height() / 2));
  EXPECT_GE(chosen_.size(), 4u);
  EXPECT_EQ(chosen_.back().spec.attention.kv_lora_rank, 2);
  EXPECT_TRUE(latent->isSliderDown());
}

TEST_F(ExperimentPanelTest, TheSplitHoldsTheHead) {
  const int head = panel_.experiment().spec.attention.head_dim();
  QTest::keyClick(&control<HeadSplitBar>("rope-dim"), Qt::Key_Left);
  ASSERT_EQ(chosen_.size(), 1u);
  EXPECT_EQ(chosen_[0].spec.attention.qk_rope_head_dim, 34);
  EXPECT_EQ(chosen_[0].spec.attention.head_dim(), head);
}

TEST_F(ExperimentPanelTest, AVariantSaysWhatItBrings) {
  auto& variants = control<QComboBox>("variant");
  variants.setFocus();
  QTest::keyClick(&variants, Qt::Key_Down);
  ASSERT_EQ(chosen_.size(), 1u);
  EXPECT_EQ(chosen_[0].spec.attention.variant, Variant::mha);
  EXPECT_EQ(chosen_[0].path, AttentionPath::expanded);
  EXPECT_TRUE(note().contains("attention expanded")) << note().toStdString();
  EXPECT_FALSE(slider("kv-lora-rank").isEnabled());
  EXPECT_TRUE(slider("kv-lora-rank").toolTip().contains("Only MLA"));
  EXPECT_EQ(control<QComboBox>("attention").count(), 2);
}

TEST_F(ExperimentPanelTest, EveryPresetCanBeChosenAndKeepsTheMachine) {
  Experiment start = default_experiment();
  start.threads = 1;
  start.cache_dtype = CacheDtype::bf16;
  panel_.setExperiment(start);
  auto& combo = control<QComboBox>("preset");
  ASSERT_EQ(combo.count(), int(presets().size() + bundled_models().size()) + 1);
  for (const Preset& preset : presets()) {
    QTest::keyClick(&combo, Qt::Key_Down);
    ASSERT_EQ(panel_.experiment().preset, preset.name) << refusal().toStdString();
    EXPECT_EQ(panel_.experiment().layers, 1);
    EXPECT_EQ(panel_.experiment().threads, 1);
    EXPECT_EQ(panel_.experiment().cache_dtype, CacheDtype::bf16);
    EXPECT_EQ(combo.currentText().toStdString(), preset.title + ", random weights");
    EXPECT_EQ(note().toStdString(), preset.note) << "what the shape leaves out is said";
  }
  QTest::keyClick(&combo, Qt::Key_Home);
  EXPECT_TRUE(panel_.experiment().preset.empty());
  EXPECT_EQ(panel_.experiment().model, bundled_models().front());
}

TEST_F(ExperimentPanelTest, AnElasticModelMovesThreeOfItsSizes) {
  panel_.setExperiment(first_experiment());
  ASSERT_EQ(panel_.experiment().model, kFairyTales);
  const AttentionSpec full = panel_.experiment().spec.attention;
  for (const char* open : {"kv-lora-rank", "heads"}) EXPECT_TRUE(slider(open).isEnabled()) << open;
  for (const char* held : {"v-head-dim", "q-lora-rank", "hidden-size"}) EXPECT_FALSE(slider(held).isEnabled()) << held;
  QTest::keyClick(slider("kv-lora-rank").slider(), Qt::Key_Home);
  EXPECT_EQ(panel_.experiment().spec.attention.kv_lora_rank, 1);
  QTest::keyClick(slider("kv-lora-rank").slider(), Qt::Key_End);
  EXPECT_EQ(panel_.experiment().spec.attention.kv_lora_rank, full.kv_lora_rank);
  QTest::keyClick(slider("heads").slider(), Qt::Key_Left);
  EXPECT_EQ(panel_.experiment().spec.attention.num_attention_heads, full.num_attention_heads - 1);
  auto& bar = control<HeadSplitBar>("rope-dim");
  QTest::keyClick(&bar, Qt::Key_Right);
  EXPECT_EQ(panel_.experiment().spec.attention.qk_rope_head_dim, full.qk_rope_head_dim - 2);
  EXPECT_EQ(panel_.experiment().spec.attention.qk_nope_head_dim, full.qk_nope_head_dim) << "the trained NoPE part stays";
  for (int i = 0; i < 40; ++i) QTest::keyClick(&bar, Qt::Key_Right);
  EXPECT_EQ(panel_.experiment().spec.attention.qk_rope_head_dim, 0);
  for (int i = 0; i < 40; ++i) QTest::keyClick(&bar, Qt::Key_Left);
  EXPECT_EQ(panel_.experiment().spec.attention, [&] {
    AttentionSpec spec = full;
    spec.num_attention_heads = spec.num_key_value_heads = full.num_attention_heads - 1;
    return spec;
  }());
}

TEST_F(ExperimentPanelTest, TheRankLensIsForTrainedModels) {
  EXPECT_FALSE(slider("lens-rank").isEnabled());
  EXPECT_TRUE(slider("lens-rank").toolTip().contains("trained"));
  panel_.setExperiment(first_experiment());
  ASSERT_TRUE(slider("lens-rank").isEnabled());
  QTest::keyClick(slider("lens-rank").slider(), Qt::Key_End);
  EXPECT_EQ(value_of(panel_.experiment(), "lens-rank"), "64");
  QTest::keyClick(slider("lens-rank").slider(), Qt::Key_Left);
  EXPECT_EQ(panel_.experiment().spec.attention.kv_lora_rank, 48);
  EXPECT_EQ(slider("kv-lora-rank").value(), 64) << "the latent as trained";
  QTest::keyClick(slider("lens-rank").slider(), Qt::Key_Home);
  EXPECT_EQ(panel_.experiment(), first_experiment());
}

TEST_F(ExperimentPanelTest, SamplingIsSetByKeys) {
  panel_.setExperiment(first_experiment());
  QTest::keyClick(&control<QSpinBox>("top-k"), Qt::Key_Up);
  EXPECT_EQ(panel_.experiment().sampling.top_k, 1);
  QTest::keyClick(&control<QDoubleSpinBox>("top-p"), Qt::Key_Down);
  EXPECT_NEAR(panel_.experiment().sampling.top_p, 0.95, 1e-9);
  QTest::keyClick(&control<QDoubleSpinBox>("temperature"), Qt::Key_Up);
  EXPECT_NEAR(panel_.experiment().sampling.temperature, 0.8, 1e-9);
  auto& sets = control<QComboBox>("isa");
  QTest::keyClick(&sets, Qt::Key_Down);
  EXPECT_EQ(panel_.experiment().isa, "portable");
  QTest::keyClick(&sets, Qt::Key_Up);
  EXPECT_EQ(panel_.experiment().isa, "");
}

TEST_F(ExperimentPanelTest, WhatBreaksARuleIsExplainedAndGoesBack) {
  panel_.setExperiment(*apply(default_experiment(), {"context", "64"}));
  auto& prefill = slider("prefill");
  prefill.box()->setFocus();
  prefill.box()->selectAll();
  QTest::keyClicks(prefill.box(), "5000");
  QTest::keyClick(prefill.box(), Qt::Key_Return);
  EXPECT_TRUE(chosen_.empty());
  EXPECT_TRUE(refusal().contains("prefill is 5000")) << refusal().toStdString();
  EXPECT_EQ(prefill.value(), 0);
  QTest::keyClick(slider("batch").slider(), Qt::Key_Right);
  EXPECT_TRUE(refusal().isEmpty()) << "a change that can be made takes it back";
}

TEST_F(ExperimentPanelTest, PromptAndSeedApplyOnReturn) {
  auto& prompt = control<QLineEdit>("prompt");
  prompt.selectAll();
  QTest::keyClicks(&prompt, "Two kings");
  EXPECT_TRUE(chosen_.empty());
  QTest::keyClick(&prompt, Qt::Key_Return);
  ASSERT_EQ(chosen_.size(), 1u);
  EXPECT_EQ(chosen_[0].prompt, "Two kings");
  auto& seed = control<QLineEdit>("seed");
  seed.selectAll();
  QTest::keyClicks(&seed, "many");
  QTest::keyClick(&seed, Qt::Key_Return);
  EXPECT_EQ(chosen_.size(), 1u);
  EXPECT_TRUE(refusal().contains("seed")) << refusal().toStdString();
}

TEST_F(ExperimentPanelTest, UnusableBackendsAreListedWithTheReason) {
  panel_.setBackends({{"cpu", true, "AVX-512, 2 threads"}, {"cuda", false, "no driver"}});
  auto& combo = control<QComboBox>("backend");
  ASSERT_EQ(combo.count(), 2);
  EXPECT_TRUE(combo.itemText(1).contains("no driver"));
  EXPECT_FALSE(qobject_cast<QStandardItemModel*>(combo.model())->item(1)->isEnabled());
  QTest::keyClick(&combo, Qt::Key_Down);
  EXPECT_TRUE(chosen_.empty());
}

TEST_F(ExperimentPanelTest, EveryControlHasANameAndATip) {
  for (const std::string_view setting : setting_names()) {
    if (setting == "weights-dtype" || setting == "isa" || setting == "top-k" || setting == "top-p")
      continue;  // command line only
    const QWidget* widget = panel_.control(std::string(setting));
    ASSERT_NE(widget, nullptr) << setting;
    EXPECT_FALSE(widget->accessibleName().isEmpty()) << setting;
    EXPECT_FALSE(widget->toolTip().isEmpty()) << setting;
  }
}

TEST_F(ExperimentPanelTest, NothingIsCutAtItsNarrowest) {
  panel_.resize(panel_.minimumSizeHint().width(), 900);
  QTest::qWait(10);
  for (const QLabel* label : panel_.findChildren<QLabel*>()) {
    if (!label->isVisible() || label->wordWrap()) continue;
    EXPECT_GE(label->width(), label->fontMetrics().horizontalAdvance(label->text())) << label->text().toStdString();
  }
}

}  // namespace
}  // namespace mla::ui
