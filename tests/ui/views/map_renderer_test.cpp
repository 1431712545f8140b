#include "ui/views/map_renderer.h"

#include <gtest/gtest.h>

#include "tests/ui/views/map_fixture.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

MapJob job(const SnapshotPtr& snapshot, double zoom) {
  const MapSource source = MapSource::from(*snapshot, 0, MapValue::weight);
  return {source, QRectF(0, 0, source.end() / zoom, source.end() / zoom), {300, 200}, true, MapColors::from(lightPalette())};
}

TEST(MapRenderer, TheNewestRequestWins) {
  const auto snapshot = makeSnapshot({2, 300});
  MapRenderer renderer;
  int ready = 0;
  QObject::connect(&renderer, &MapRenderer::ready, [&] { ++ready; });
  MapJob last = job(snapshot, 1);
  for (int i = 1; i <= 200; ++i) {
    last = job(snapshot, 1 + i * 0.01);
    renderer.submit(last);
  }
  std::optional<MapPicture> picture;
  EXPECT_TRUE(waitUntil([&] {
    if (auto next = renderer.take()) picture = std::move(next);
    return picture && picture->window == last.window;
  }));
  EXPECT_LT(ready, 200) << "requests that were overtaken are not drawn";
  EXPECT_FALSE(renderer.take());
  MapGrid grid;
  EXPECT_EQ(picture->image, drawMap(last, grid).image);
}

TEST(MapRenderer, CanBeDestroyedAtWork) {
  const auto snapshot = makeSnapshot({1, 600});
  for (int i = 0; i < 20; ++i) {
    MapRenderer renderer;
    renderer.submit(job(snapshot, 1));
    renderer.submit(job(snapshot, 2));
  }
  QApplication::processEvents();
}

TEST(MapRenderer, QueriesAndKeysArePooledApart) {
  Made made{1, 900};
  made.first = 890;
  const auto snapshot = makeSnapshot(made);
  MapJob wide = job(snapshot, 1);
  wide.window = QRectF(0, 890, 900, 10);
  MapGrid grid;
  const MapPicture picture = drawMap(wide, grid);
  EXPECT_EQ(picture.queryLevel, 0);
  EXPECT_EQ(picture.keyLevel, 2);
  EXPECT_EQ(picture.blockAt({101.5, 893.2}), (MapBlock{893, 1, 100, 4}));
  const AttentionRow& row = *(*snapshot->attention.rows)[3];
  const float largest = *std::max_element(row.weights.begin() + 100, row.weights.begin() + 104);
  EXPECT_EQ(picture.image.pixel(34, 70), picture.scale.color(largest));  // key 103.5 of 900 over 300 pixels, query 893.5
}

}  // namespace
}  // namespace mla::ui
