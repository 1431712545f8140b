#include "ui/views/latency_view.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/ui/charts/painting.h"
#include "tests/ui/charts/sample_snapshot.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

const Series* find(const ChartData& data, const QString& name) {
  const auto it =
      std::find_if(data.series.begin(), data.series.end(), [&](const Series& s) { return s.name.contains(name); });
  return it == data.series.end() ? nullptr : &*it;
}

TEST(LatencyView, ShowsEveryTokenAndTheRunningMedian) {
  const auto snapshot = sample::snapshot(100);
  LatencyView view;
  view.setSnapshot(snapshot);
  const ChartData& data = view.chart().data();
  const Series* each = find(data, "each token");
  const Series* median = find(data, "median");
  ASSERT_TRUE(each && median);
  ASSERT_EQ(each->points.size(), 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(each->points[i].y(), (*snapshot->steps)[std::size_t(i)].ms);
  EXPECT_NEAR(median->points.back().y(), 0.2 + 0.001 * (99 - 15.5), 1e-12);  // of the last 32
  EXPECT_EQ(data.headline, "0.28 ms/token median");
}

TEST(LatencyView, SlowFirstTokenIsCountedAndDoesNotFlattenTheRest) {
  LatencyView view;
  view.setSnapshot(sample::snapshot(100));
  const ChartData& data = view.chart().data();
  ASSERT_TRUE(data.y.max);
  EXPECT_LT(*data.y.max, 0.5);
  EXPECT_TRUE(data.caption.contains("1 above the axis, up to 40.0 ms")) << data.caption.toStdString();
  view.chart().resize(360, 250);
  const auto& curves = view.chart().picture().curves();
  EXPECT_TRUE(std::any_of(curves.begin(), curves.end(), [](const Curve& c) {
    return c.beyond == QList<QPointF>{{11, 40}};
  }));
  EXPECT_EQ(view.table().rows[0][2], "40");  // the table has the true value
}

TEST(LatencyView, RobustTop) {
  QList<QPointF> even, spiked, often;
  for (int i = 0; i < 200; ++i) {
    even.append({double(i), 1});
    spiked.append({double(i), i == 7 ? 1000.0 : 1.0});
    often.append({double(i), i % 8 == 7 ? 1000.0 : 1.0});
  }
  EXPECT_DOUBLE_EQ(robustTop(even), 1.06);
  EXPECT_DOUBLE_EQ(robustTop(spiked), 1.3);
  EXPECT_DOUBLE_EQ(robustTop(often), 5);
  EXPECT_EQ(robustTop({}), 0);
  EXPECT_DOUBLE_EQ(robustTop({{0, 5}}), 5.3);
}

TEST(LatencyView, SlowPhaseStaysInSight) {
  auto snapshot = sample::snapshot(200);
  auto steps = std::make_shared<std::vector<Step>>(*snapshot->steps);
  for (std::size_t i = 0; i < 60; ++i) (*steps)[i].ms = 5;
  snapshot->steps = steps;
  LatencyView view;
  view.setSnapshot(snapshot);
  EXPECT_GT(*view.chart().data().y.max, 5);
}

TEST(LatencyView, RooflineOnlyFromMeasuredCeilings) {
  LatencyView view;
  auto snapshot = sample::snapshot(10);
  view.setSnapshot(snapshot);
  EXPECT_FALSE(find(view.chart().data(), "roofline"));
  EXPECT_EQ(view.chart().data().legend_note, "roofline: ceilings not measured yet");

  auto known = std::make_shared<Snapshot>(*snapshot);
  known->ceilings.read_gb_s = 30;
  known->ceilings.fp32_gflop_s = 100;
  known->steps = sample::steps(known->experiment, 10, 10, 0.125);
  view.setSnapshot(known);
  const Series* roofline = find(view.chart().data(), "roofline");
  ASSERT_TRUE(roofline);
  EXPECT_EQ(roofline->role, Role::modelled);
  ASSERT_EQ(roofline->points.size(), 10);
  EXPECT_EQ(roofline->points[3], QPointF(14, 0.125));
  EXPECT_TRUE(view.chart().data().legend_note.isEmpty());
  EXPECT_EQ(view.chart().data().headline, "0.21 ms/token median · roofline 0.12 ms");
}

TEST(LatencyView, PinnedRunsKeepTheirMedians) {
  auto snapshot = sample::snapshot(10);
  snapshot->pinned.push_back({snapshot->experiment, "bf16 → fp32", sample::steps(snapshot->experiment, 64, 0)});
  LatencyView view;
  view.setSnapshot(snapshot);
  const Series* pinned = find(view.chart().data(), "bf16 → fp32");
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->points.size(), 64);
  EXPECT_NEAR(pinned->points.back().y(), 0.2 + 0.001 * (63 - 15.5), 1e-12);
}

TEST(LatencyView, PaintsLightAndDark) {
  LatencyView view;
  view.setSnapshot(sample::snapshot(100));
  for (const QPalette& palette : {lightPalette(), darkPalette()}) {
    view.setPalette(palette);
    const QImage image = sample::painted(view, {360, 250});
    EXPECT_EQ(sample::count(image, Qt::magenta), 0);
    EXPECT_GT(sample::count(image, seriesColor(0, isDark(palette))), 40);
    EXPECT_GT(sample::count(image, palette.color(QPalette::Base)), 360 * 250 / 2);
  }
}

TEST(LatencyView, SaysWhyThereIsNothing) {
  auto snapshot = sample::snapshot(0);
  snapshot->state = Snapshot::State::failed;
  snapshot->error = "context 9: too short";
  LatencyView view;
  view.setSnapshot(snapshot);
  EXPECT_EQ(view.chart().data().empty, "context 9: too short");
}

}  // namespace
}  // namespace mla::ui
