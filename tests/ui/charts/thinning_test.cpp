#include "ui/charts/thinning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace mla::ui {
namespace {

QList<QPointF> noise(int count) {
  std::mt19937 random(1);
  QList<QPointF> points;
  for (int i = 0; i < count; ++i) points.append({double(i), double(random() % 1000)});
  return points;
}

TEST(Thinning, KeepsTheLowestAndHighestOfEveryPixelColumn) {
  const QList<QPointF> points = noise(10'000);
  const int pixels = 250;
  const QList<QPointF> kept = thin(points, 0, 9999, pixels);
  EXPECT_LE(kept.size(), 2 * pixels + 4);
  for (int column = 0; column < pixels; ++column) {
    const auto inside = [&](const QPointF& p) { return p.x() > 0 && int(p.x() * (pixels / 9999.0)) == column; };
    double low = 1e9, high = -1e9;
    for (const QPointF& p : points)
      if (inside(p)) low = std::min(low, p.y()), high = std::max(high, p.y());
    const auto has = [&](double y) {
      return std::any_of(kept.begin(), kept.end(), [&](const QPointF& p) { return inside(p) && p.y() == y; });
    };
    EXPECT_TRUE(has(low) && has(high)) << "column " << column;
  }
}

TEST(Thinning, KeepsOrderAndBothEnds) {
  const QList<QPointF> points = noise(5'000);
  const QList<QPointF> kept = thin(points, 0, 4999, 100);
  EXPECT_EQ(kept.front(), points.front());
  EXPECT_EQ(kept.back(), points.back());
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(), [](auto& a, auto& b) { return a.x() < b.x(); }));
  for (const QPointF& p : kept) EXPECT_EQ(points[int(p.x())], p);
}

TEST(Thinning, LeavesAShortListAloneButForNan) {
  const double nan = std::nan("");
  const QList<QPointF> points{{0, 1}, {1, nan}, {2, 3}, {nan, 4}, {3, 5}};
  EXPECT_EQ(thin(points, 0, 3, 100), (QList<QPointF>{{0, 1}, {2, 3}, {3, 5}}));
}

TEST(Thinning, DropsWhatLiesBesideTheRange) {
  EXPECT_EQ(thin({{0, 1}, {5, 2}, {9, 3}}, 1, 8, 100), (QList<QPointF>{{5, 2}}));
  EXPECT_TRUE(thin({}, 0, 1, 100).isEmpty());
}

}  // namespace
}  // namespace mla::ui
