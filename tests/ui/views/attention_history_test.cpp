// Long histories: what was not kept, what was thinned, and maps of thousands of tokens.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/ui/views/attention_fixture.h"
#include "ui/views/map_axes.h"

namespace mla::ui {
namespace {

class AttentionHistoryMap : public Attention {
 protected:
  /// 40 tokens of one head; before the 30th one row in eight.
  static SnapshotPtr thinned() {
    Made made;
    made.heads = 1;
    made.tokens = 40;
    made.whole_from = 30;
    made.stride = 8;
    return makeSnapshot(made);
  }
};

TEST_F(AttentionHistoryMap, SaysWhatWasNotKeptAndShowsItHatched) {
  show(makeSnapshot({2, 40, 30}));
  EXPECT_TRUE(canvas()->scene().note.contains(QStringLiteral("rows before token 30 not kept")));
  EXPECT_EQ(canvas()->viewport().window(), QRectF(0, 30, 40, 10));
  EXPECT_EQ(pixel(pointOf(33, 7)), canvas()->scene().picture.scale.color(row(33).weights[7]));
  MapJob job{canvas()->source(), QRectF(0, 0, 40, 40), {400, 400}, true, MapColors::from(canvas()->palette())};
  MapGrid grid;
  const QImage image = drawMap(job, grid).image;
  for (int x = 0; x < 100; ++x) {
    EXPECT_TRUE(image.pixel(x, 150) == job.colors.missing || image.pixel(x, 150) == job.colors.missingInk);
  }
  EXPECT_EQ(image.pixel(300, 150), job.colors.above);
}

TEST_F(AttentionHistoryMap, SaysWhatWasThinnedAndHoverTellsTheQueryThatIsShown) {
  show(thinned());
  EXPECT_EQ(canvas()->scene().note, QStringLiteral("before token 30: 1 row in 8 kept"));
  const auto of = [&](int query) { return *canvas()->source().row(query); };
  const ColorScale scale = canvas()->scene().picture.scale;
  EXPECT_EQ(pixel(pointOf(21, 3)), scale.color(of(16).weights[3])) << "query 16 stands for 16 to 23";
  EXPECT_EQ(pixel(pointOf(29, 3)), scale.color(of(24).weights[3]));
  EXPECT_EQ(pixel(pointOf(30, 3)), scale.color(of(30).weights[3]));
  EXPECT_EQ(pixel(pointOf(21, 19)), MapColors::from(canvas()->palette()).above) << "query 16 does not see key 19";
  hover(*canvas(), pointOf(21, 3));
  EXPECT_TRUE(readout().contains(QStringLiteral("query 16  “␣”\n"))) << readout().toStdString();
  EXPECT_TRUE(readout().contains(QStringLiteral("weight ") + fourDigits(of(16).weights[3])));
  EXPECT_TRUE(readout().contains(QStringLiteral("of queries 16 to 23, 1 kept")));
  EXPECT_TRUE(readout().contains(QStringLiteral("in the rows kept")));
  hover(*canvas(), pointOf(29, 3));
  EXPECT_TRUE(readout().contains(QStringLiteral("of queries 24 to 29, 1 kept")));
  hover(*canvas(), pointOf(33, 3));
  EXPECT_TRUE(readout().contains(QStringLiteral("query 33 ")));
  EXPECT_FALSE(readout().contains(QStringLiteral("kept\n")));
  press(*canvas(), Qt::Key_Escape);
  act([&] { view_.lockQuery(21); });
  EXPECT_TRUE(readout().contains(QStringLiteral("this query's row was not kept")));
  for (const auto& row : view_.table().rows) EXPECT_TRUE(std::stoi(row[0]) >= 30 || std::stoi(row[0]) % 8 == 0);
  EXPECT_EQ(view_.table().rows.size(), 1u + 9 + 17 + 25 + 10 * 71 / 2);
}

TEST_F(AttentionHistoryMap, TheCursorGoesFromOneKeptQueryToTheNext) {
  show(thinned());
  hover(*canvas(), pointOf(31, 2));
  const auto focus = [&] { return *canvas()->scene().focus; };
  press(*canvas(), Qt::Key_Up);
  EXPECT_EQ(focus(), (MapBlock{30, 1, 2, 1}));
  press(*canvas(), Qt::Key_Up);
  EXPECT_EQ(focus(), (MapBlock{24, 6, 2, 1}));
  press(*canvas(), Qt::Key_Up);
  EXPECT_EQ(focus(), (MapBlock{16, 8, 2, 1}));
  press(*canvas(), Qt::Key_Down);
  press(*canvas(), Qt::Key_Down);
  EXPECT_EQ(focus(), (MapBlock{30, 1, 2, 1}));
}

TEST_F(AttentionHistoryMap, ThousandsOfTokensArePooledByTheirMaximum) {
  Made made{1, 4096};
  made.rope = false;
  const auto snapshot = makeSnapshot(made);
  show(snapshot);
  const MapPicture& picture = canvas()->scene().picture;
  const int size = 1 << picture.queryLevel;
  EXPECT_GE(size, 8);
  const auto largestIn = [&](const MapBlock& block) {
    float largest = 0;
    for (int q = block.query; q < block.query + block.queries; ++q) {
      for (int k = block.key; k < std::min(q + 1, block.key + block.keys); ++k)
        largest = std::max(largest, row(q).weights[k]);
    }
    return largest;
  };
  const QRectF plot = canvas()->layoutNow().plot;
  const QImage screen = canvas()->grab().toImage();
  for (int y = 1; y < picture.image.height(); y += 37) {
    for (int x = 1; x < std::min(y, picture.image.width()); x += 41) {
      const QPointF at = plot.topLeft() + QPointF(x + 0.5, y + 0.5);
      hover(*canvas(), at);
      const MapBlock block = canvas()->scene().focus.value();
      if (block.key > block.query) continue;
      EXPECT_EQ(block.queries, size);
      EXPECT_EQ(screen.pixel(int(at.x()), int(at.y())), picture.scale.color(largestIn(block)));
      EXPECT_TRUE(readout().contains(QStringLiteral("max of %1×%2").arg(block.queries).arg(block.keys)));
      EXPECT_TRUE(readout().contains(QStringLiteral("weight ") + fourDigits(largestIn(block))));
    }
  }
}

TEST_F(AttentionHistoryMap, AMapOfThousandsOfTokensLeavesTheWindowFree) {
  Made made{1, 4096};
  made.rope = false;
  const auto snapshot = makeSnapshot(made);
  show(snapshot);
  const double ms = bestMs([&] {
    view_.setSnapshot(snapshot);
    wheel(*canvas(), canvas()->layoutNow().plot.center(), 1);
    hover(*canvas(), canvas()->layoutNow().plot.center() - QPointF(50, 0));
    canvas()->repaint();
  });
  EXPECT_LT(ms, kFrameMs) << "a snapshot, a zoom step, a hover and the painting";
}

}  // namespace
}  // namespace mla::ui
