#include "ui/charts/curves.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ui/charts/chart_layout.h"

namespace mla::ui {
namespace {

Series series(QList<QPointF> points, bool stacked = true) {
  Series out;
  out.points = std::move(points);
  out.stacked = stacked;
  return out;
}

ChartData chart(std::vector<Series> all) {
  ChartData data;
  data.series = std::move(all);
  return data;
}

TEST(Curves, StackOneUponTheOther) {
  const ChartData data =
      chart({series({{0, 1}, {1, 2}}), series({{0, 10}, {1, std::nan("")}}), series({{0, 5}, {1, 9}}, false)});
  const Range x = xRange(data), y = yRange(data, ChartKind::stack);
  const auto curves = curvesOf(data, ChartKind::stack, x, y, 100);
  ASSERT_EQ(curves.size(), 3u);
  EXPECT_EQ(curves[0].points, (QList<QPointF>{{0, 1}, {1, 2}}));
  EXPECT_EQ(curves[1].points, (QList<QPointF>{{0, 11}, {1, 2}}));
  EXPECT_EQ(curves[2].points, (QList<QPointF>{{0, 5}, {1, 9}}));
  EXPECT_TRUE(curves[1].area);
  EXPECT_FALSE(curves[2].area);
  EXPECT_GE(y.max, 11);
}

TEST(Curves, FirstLineIsPaintedLast) {
  const ChartData data = chart({series({{0, 1}}), series({{0, 2}})});
  const auto curves = curvesOf(data, ChartKind::lines, {0, 1}, {0, 3}, 100);
  EXPECT_EQ(curves.back().series, 0);
  EXPECT_EQ(curves.front().series, 1);
}

TEST(Curves, LogAxisLeavesOutWhatItCantShow) {
  ChartData data = chart({series({{0, 0}, {1, -3}, {2, 4}, {3, 8}})});
  data.y.scale = Scale::log;
  const Range y = yRange(data, ChartKind::lines);
  EXPECT_GT(y.min, 0);
  EXPECT_LE(y.min, 4);
  EXPECT_GE(y.max, 8);
  const auto curves = curvesOf(data, ChartKind::lines, xRange(data), y, 100);
  EXPECT_EQ(curves[0].points, (QList<QPointF>{{2, 4}, {3, 8}}));
}

TEST(Curves, LogXAxisSpacesEvenlyByFactors) {
  ChartData data = chart({series({{0, 9}, {1, 1}, {4, 2}, {16, 3}})});
  data.x.scale = Scale::log;
  const Range x = xRange(data);
  EXPECT_DOUBLE_EQ(x.min, 1);
  EXPECT_DOUBLE_EQ(x.max, 16);
  EXPECT_EQ(curvesOf(data, ChartKind::lines, x, {0, 10}, 100)[0].points, (QList<QPointF>{{1, 1}, {4, 2}, {16, 3}}));
  ChartLayout layout = arrange(data, ChartKind::lines, {600, 400}, QFont());
  EXPECT_NEAR(layout.pixel({4, 1}).x(), layout.plot.center().x(), 1e-6);
  EXPECT_NEAR(layout.pixel({16, 1}).x(), layout.plot.right(), 1e-6);
}

TEST(Curves, PointsAboveTheAxisAreDrawnAtItsEdgeAndRemembered) {
  ChartData data = chart({series({{0, 1}, {1, 50}, {2, 2}})});
  data.y.max = 3;
  const auto curves = curvesOf(data, ChartKind::lines, xRange(data), yRange(data, ChartKind::lines), 100);
  EXPECT_EQ(curves[0].points, (QList<QPointF>{{0, 1}, {1, 3}, {2, 2}}));
  EXPECT_EQ(curves[0].beyond, (QList<QPointF>{{1, 50}}));
}

TEST(Curves, RangesAreNeverEmpty) {
  for (const auto& points :
       {QList<QPointF>{}, QList<QPointF>{{5, 0}}, QList<QPointF>{{5, 7}}, QList<QPointF>{{0, std::nan("")}}})
    for (const Scale scale : {Scale::linear, Scale::log}) {
      ChartData data = chart({series(points)});
      data.x.scale = data.y.scale = scale;
      EXPECT_LT(xRange(data).min, xRange(data).max);
      EXPECT_LT(yRange(data, ChartKind::lines).min, yRange(data, ChartKind::lines).max);
      if (scale == Scale::log) {
        EXPECT_GT(yRange(data, ChartKind::lines).min, 0);
      }
    }
}

}  // namespace
}  // namespace mla::ui
