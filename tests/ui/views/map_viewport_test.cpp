#include "ui/views/map_viewport.h"

#include <gtest/gtest.h>

namespace mla::ui {
namespace {

TEST(MapViewport, AFittedViewGrowsWithTheDecode) {
  MapViewport view;
  view.setExtent(0, 10);
  EXPECT_EQ(view.window(), QRectF(0, 0, 10, 10));
  view.setExtent(4, 30);
  EXPECT_EQ(view.window(), QRectF(0, 4, 30, 26));
  EXPECT_TRUE(view.fitted());
}

TEST(MapViewport, ZoomKeepsItsAnchorAndStopsFollowing) {
  MapViewport view;
  view.setExtent(0, 100);
  view.zoom(2, {30, 60});
  EXPECT_EQ(view.window(), QRectF(15, 30, 50, 50));
  EXPECT_FALSE(view.follows());
  view.setExtent(0, 101);
  EXPECT_EQ(view.window(), QRectF(15, 30, 50, 50));
  view.zoom(0.01, {30, 60});
  EXPECT_EQ(view.window(), view.extent());
  EXPECT_TRUE(view.fitted());
}

TEST(MapViewport, FollowingMovesAlongAtTheSameZoom) {
  MapViewport view;
  view.setExtent(0, 100);
  view.zoom(4, {0, 0});
  view.setFollows(true);
  EXPECT_EQ(view.window(), QRectF(75, 75, 25, 25));
  view.setExtent(0, 103);
  EXPECT_EQ(view.window(), QRectF(78, 78, 25, 25));
  view.pan({-5, 0});
  EXPECT_FALSE(view.follows());
}

TEST(MapViewport, PanningStaysInside) {
  MapViewport view;
  view.setExtent(20, 100);
  view.zoom(2, {50, 60});
  view.pan({-1000, -1000});
  EXPECT_EQ(view.window().topLeft(), QPointF(0, 20));
  view.pan({1000, 1000});
  EXPECT_EQ(view.window().bottomRight(), QPointF(100, 100));
}

TEST(MapViewport, RevealMovesNoMoreThanNeeded) {
  MapViewport view;
  view.setExtent(0, 100);
  view.zoom(4, {0, 0});
  view.reveal(10, 10);
  EXPECT_EQ(view.window().topLeft(), QPointF(0, 0));
  view.reveal(50, 10);
  EXPECT_EQ(view.window(), QRectF(0, 26, 25, 25));
}

TEST(MapViewport, BlocksAreNeverSmallerThanAPixel) {
  EXPECT_EQ(poolLevel(100, 100), 0);
  EXPECT_EQ(poolLevel(101, 100), 1);
  EXPECT_EQ(poolLevel(4096, 500), 4);
  for (int tokens = 1; tokens < 5000; tokens += 7) {
    const int level = poolLevel(tokens, 300);
    EXPECT_LE(double(tokens) / (1 << level), 300);
    EXPECT_TRUE(level == 0 || double(tokens) / (1 << (level - 1)) > 300);
  }
}

}  // namespace
}  // namespace mla::ui
