#include "ui/views/memory_view.h"

#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QEventLoop>
#include <QTimer>
#include <QToolButton>
#include <algorithm>

#include "tests/ui/charts/painting.h"
#include "tests/ui/charts/sample_snapshot.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

const Series* find(const ChartData& data, const QString& name) {
  const auto it = std::find_if(data.series.begin(), data.series.end(), [&](const Series& s) { return s.name == name; });
  return it == data.series.end() ? nullptr : &*it;
}

std::size_t column(const Table& table, const std::string& name) {
  return std::size_t(std::find(table.columns.begin(), table.columns.end(), name) - table.columns.begin());
}

TEST(MemoryView, ShowsTheBytesOfEveryStep) {
  const auto snapshot = sample::snapshot(90);
  MemoryView view;
  view.setSnapshot(snapshot);
  const Series* own = find(view.chart().data(), "this run");
  ASSERT_TRUE(own);
  EXPECT_EQ(own->role, Role::measured);
  ASSERT_EQ(own->points.size(), 90);
  for (int i = 0; i < 90; ++i) {
    const Step& step = (*snapshot->steps)[std::size_t(i)];
    EXPECT_EQ(own->points[i], QPointF(step.tokens, double(step.cache_bytes)));
  }
}

TEST(MemoryView, ComparesWithEveryVariantByFormula) {
  MemoryView view;
  view.setSnapshot(sample::snapshot(90));
  // Bytes of one layer and two bf16 sequences per token: (c + r), H (n + r + v), 2 H dh, 2 · 8 dh, 2 dh values.
  const std::pair<const char*, double> expected[] = {{"MLA latent (absorbed)", 576 * 4},
                                                     {"MLA expanded", 128 * 320 * 4.0},
                                                     {"MHA", 2 * 128 * 128 * 4.0},
                                                     {"GQA-8", 2 * 8 * 128 * 4},
                                                     {"MQA", 2 * 128 * 4}};
  for (const auto& [name, bytes] : expected) {
    const Series* line = find(view.chart().data(), name);
    ASSERT_TRUE(line) << name;
    EXPECT_EQ(line->role, Role::formula) << name;
    for (const QPointF& p : line->points) EXPECT_DOUBLE_EQ(p.y(), p.x() * bytes) << name;
    EXPECT_EQ(line->points.back().x(), *view.chart().data().x.max);
  }
  EXPECT_EQ(view.chart().data().headline, "225.0 KiB at 100 tokens · 3.6x below GQA-8");
}

TEST(MemoryView, FormulaOfTheOwnVariantMeetsWhatIsMeasured) {
  const auto snapshot = sample::snapshot(90);
  MemoryView view;
  view.setSnapshot(snapshot);
  const Table table = view.table();
  const std::size_t formula = column(table, "mla_latent_absorbed_formula_bytes");
  ASSERT_LT(formula, table.columns.size());
  ASSERT_EQ(table.rows.size(), 90u);
  for (std::size_t i = 0; i < 90; ++i) {
    EXPECT_EQ(table.rows[i][0], std::to_string((*snapshot->steps)[i].tokens));
    EXPECT_EQ(table.rows[i][1], std::to_string((*snapshot->steps)[i].cache_bytes));
    EXPECT_EQ(table.rows[i][2], std::to_string((*snapshot->steps)[i].cache_allocated_bytes));
    EXPECT_EQ(std::stod(table.rows[i][formula]), double((*snapshot->steps)[i].cache_bytes));
  }
}

TEST(MemoryView, VariantsOfEqualSizeShareALine) {
  auto snapshot = sample::snapshot(3);
  snapshot->experiment.spec = with_variant(default_experiment().spec, Variant::mha);  // 8 heads: GQA-8 is the same
  snapshot->experiment.path = AttentionPath::expanded;
  MemoryView view;
  view.setSnapshot(snapshot);
  EXPECT_TRUE(find(view.chart().data(), "MHA = GQA-8"));
  EXPECT_FALSE(find(view.chart().data(), "GQA-8"));
}

TEST(MemoryView, PinnedRunsStayUnderTheirNames) {
  auto snapshot = sample::snapshot(20);
  Experiment other = snapshot->experiment;
  other.spec.attention.kv_lora_rank = 64;
  snapshot->pinned.push_back({other, "c 512 → 64", sample::steps(other, 40)});
  MemoryView view;
  view.setSnapshot(snapshot);
  const Series* pinned = find(view.chart().data(), "c 512 → 64");
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->role, Role::measured);
  EXPECT_NE(pinned->color, find(view.chart().data(), "this run")->color);
  EXPECT_EQ(pinned->points.back(), QPointF(50, 50 * (64 + 64) * 2 * 2));
  EXPECT_GE(*view.chart().data().x.max, 50);
  const Table table = view.table();
  ASSERT_EQ(table.rows.size(), 40u);  // beyond this run's steps, too
  EXPECT_EQ(table.rows.back()[1], "");
  EXPECT_EQ(table.rows.back()[column(table, "pinned_cache_bytes: c 512 → 64")], std::to_string(50 * 128 * 4));
}

TEST(MemoryView, LogarithmicScaleByButtonAndKeyboard) {
  MemoryView view;
  view.setSnapshot(sample::snapshot(50));
  auto* button = view.findChild<QToolButton*>();
  ASSERT_TRUE(button);
  EXPECT_FALSE(button->accessibleName().isEmpty());
  EXPECT_FALSE(button->toolTip().isEmpty());
  EXPECT_NE(button->focusPolicy() & Qt::TabFocus, 0);
  const QImage linear = sample::painted(view, {500, 300});
  button->click();
  EXPECT_EQ(view.chart().data().y.scale, Scale::log);
  EXPECT_NE(sample::painted(view, {500, 300}), linear);
  view.setLogarithmic(false);
  EXPECT_EQ(sample::painted(view, {500, 300}), linear);
}

TEST(MemoryView, SaysWhatToDoBeforeTheFirstToken) {
  MemoryView view;
  EXPECT_TRUE(view.chart().data().empty.contains("play"));
  auto snapshot = sample::snapshot(0);
  snapshot->state = Snapshot::State::idle;
  view.setSnapshot(snapshot);
  EXPECT_TRUE(view.chart().data().empty.contains("play"));
  EXPECT_TRUE(view.table().rows.empty());
  auto preparing = sample::snapshot(0);
  preparing->state = Snapshot::State::preparing;
  preparing->activity = "making 604 MB of weights";
  view.setSnapshot(preparing);
  EXPECT_EQ(view.chart().data().empty, "making 604 MB of weights");
  view.setSnapshot(sample::snapshot(1));
  EXPECT_TRUE(view.chart().data().empty.isEmpty());
}

TEST(MemoryView, PaintsLightAndDark) {
  MemoryView view;
  view.setSnapshot(sample::snapshot(200));
  view.setPalette(lightPalette());
  const QImage light = sample::painted(view, {360, 250});
  EXPECT_GT(sample::count(light, seriesColor(0, false)), 40);
  EXPECT_EQ(sample::count(light, Qt::magenta), 0);
  view.setPalette(darkPalette());
  const QImage dark = sample::painted(view, {360, 250});
  EXPECT_GT(sample::count(dark, seriesColor(0, true)), 40);
  EXPECT_EQ(dark.pixelColor(1, 1), darkPalette().color(QPalette::Base));
}

TEST(MemoryView, NewestSnapshotLandsThoughRedrawsAreFew) {
  MemoryView view;
  view.resize(360, 250);
  view.show();
  for (int i = 1; i <= 60; ++i) view.setSnapshot(sample::snapshot(i));
  QEventLoop loop;
  QTimer::singleShot(300, &loop, &QEventLoop::quit);
  loop.exec();
  const Chart* chart = view.findChild<Chart*>();  // as it is, without asking the view to bring it up to date
  ASSERT_TRUE(chart);
  EXPECT_EQ(find(chart->data(), "this run")->points.size(), 60);
}

TEST(MemoryView, TakesALongRunQuickly) {
  MemoryView view;
  view.resize(360, 250);
  auto snapshot = sample::snapshot(4000);
  view.setSnapshot(snapshot);
  view.chart();
  auto next = std::make_shared<Snapshot>(*snapshot);
  next->steps = sample::steps(snapshot->experiment, 4001);
  QElapsedTimer timer;
  timer.start();
  view.setSnapshot(next);
  view.chart();
  EXPECT_LT(timer.elapsed(), 16);
}

}  // namespace
}  // namespace mla::ui
