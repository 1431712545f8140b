#include "ui/views/stages_view.h"

#include <gtest/gtest.h>

#include <QCoreApplication>
#include <QHelpEvent>
#include <QToolTip>
#include <algorithm>

#include "tests/ui/charts/painting.h"
#include "tests/ui/charts/sample_snapshot.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

TEST(StagesView, StacksTheStagesThatTakeTime) {
  StagesView view;
  view.setSnapshot(sample::snapshot(100));
  const ChartData& data = view.chart().data();
  ASSERT_EQ(data.series.size(), 3u);  // scores, values and the total
  EXPECT_EQ(data.series[0].name, QString::fromUtf8(name_of(Stage::scores)));
  EXPECT_EQ(data.series[1].name, QString::fromUtf8(name_of(Stage::values)));
  EXPECT_FALSE(data.series[2].stacked);
  const double median = 0.2 + 0.001 * (99 - 15.5);
  EXPECT_NEAR(data.series[0].points.back().y(), median / 2, 1e-12);
  EXPECT_NEAR(data.series[2].points.back().y(), median, 1e-12);
  EXPECT_EQ(data.headline, "scores: 50 % of 0.28 ms/token");
  EXPECT_TRUE(data.caption.contains("32 tokens"));
}

TEST(StagesView, AreasLieUponEachOther) {
  StagesView view;
  view.chart().resize(400, 300);
  view.setSnapshot(sample::snapshot(100));
  const auto& curves = view.chart().picture().curves();
  ASSERT_EQ(curves.size(), 3u);
  EXPECT_NEAR(curves[1].points.back().y(), 2 * curves[0].points.back().y(), 1e-12);
  EXPECT_NEAR(curves[2].points.back().y(), curves[1].points.back().y(), 1e-12);
}

TEST(StagesView, SlowFirstTokenDoesNotFlattenTheRest) {
  for (const int tokens : {2, 6, 100}) {
    StagesView view;
    view.setSnapshot(sample::snapshot(tokens));
    EXPECT_LT(*view.chart().data().y.max, 0.5) << tokens;
  }
}

TEST(StagesView, FrequentSlowTokensDoNotFlattenTheirMedians) {
  auto snapshot = sample::snapshot(200);
  auto steps = std::make_shared<std::vector<Step>>(*snapshot->steps);
  for (std::size_t i = 0; i < steps->size(); i += 8) (*steps)[i].ms = 10;
  snapshot->steps = steps;
  StagesView view;
  view.setSnapshot(snapshot);
  EXPECT_LT(*view.chart().data().y.max, 0.7);
}

TEST(StagesView, PaintsEachStageInItsColor) {
  StagesView view;
  view.setSnapshot(sample::snapshot(100));
  for (const QPalette& palette : {lightPalette(), darkPalette()}) {
    view.setPalette(palette);
    const QImage image = sample::painted(view, {360, 250});
    for (const int series : {0, 1})
      EXPECT_GT(sample::count(image, seriesColor(view.chart().data().series[std::size_t(series)].color, isDark(palette))),
                2000);
  }
}

std::shared_ptr<Snapshot> splitBy(StageSplit split) {
  auto snapshot = sample::snapshot(40);
  auto steps = std::make_shared<std::vector<Step>>(*snapshot->steps);
  for (Step& step : *steps) step.split = split;
  snapshot->steps = steps;
  return snapshot;
}

TEST(StagesView, SaysInLegendTooltipAndTableHowOneKernelsTimeWasSplit) {
  StagesView view;
  view.resize(700, 450);
  view.show();
  const auto says = [&view](const QString& note) {
    QHelpEvent hover(QEvent::ToolTip, view.chart().rect().center(), view.chart().mapToGlobal(view.chart().rect().center()));
    QCoreApplication::sendEvent(&view.chart(), &hover);
    EXPECT_EQ(QToolTip::text(), note);
    const auto& legend = view.chart().picture().layout().legend;
    EXPECT_TRUE(std::any_of(legend.begin(), legend.end(), [&](const LegendItem& item) { return item.text == note; }));
    QToolTip::hideText();
  };
  view.setSnapshot(splitBy(StageSplit::operations));
  says("scores, softmax and values: one kernel, split by operations");
  EXPECT_EQ(view.table().columns, (std::vector<std::string>{"tokens", "scores_by_operations_median_ms",
                                                            "values_by_operations_median_ms", "total_median_ms"}));
  view.setSnapshot(splitBy(StageSplit::thread_times));
  says("scores, softmax and values: one pass, split by its threads' times");
  view.setSnapshot(splitBy(StageSplit::measured));
  EXPECT_TRUE(view.chart().data().legend_note.isEmpty());
  EXPECT_TRUE(view.chart().toolTip().isEmpty());
}

TEST(StagesView, TableNamesItsUnits) {
  StagesView view;
  view.setSnapshot(sample::snapshot(40));
  const Table table = view.table();
  EXPECT_EQ(table.columns, (std::vector<std::string>{"tokens", "scores_median_ms", "values_median_ms", "total_median_ms"}));
  ASSERT_EQ(table.rows.size(), 40u);
  EXPECT_EQ(table.rows[0], (std::vector<std::string>{"11", "20", "20", "40"}));
}

}  // namespace
}  // namespace mla::ui
