#include "ui/views/heads_view.h"

#include <gtest/gtest.h>

#include <QHelpEvent>
#include <QToolTip>
#include <cmath>

#include "tests/ui/views/map_fixture.h"
#include "ui/theme/theme.h"
#include "ui/views/head_labels.h"

namespace mla::ui {
namespace {

class Heads : public testing::Test {
 protected:
  void show(const SnapshotPtr& snapshot, QSize size = {700, 500}) {
    QObject::connect(&view_, &HeadsView::headChosen, [this](int head) { chosen_.push_back(head); });
    snapshot_ = snapshot;
    view_.resize(size);
    view_.setSnapshot(snapshot);
    view_.show();
    QApplication::processEvents();
  }
  /// Middle of cell (i, j) of a head's thumbnail.
  QPoint cellAt(int head, int i, int j) {
    const QRectF tile = view_.tileRect(head);
    const double side = tile.width() / snapshot_->attention.thumbnails->used();
    return (tile.topLeft() + QPointF((j + 0.5) * side, (i + 0.5) * side)).toPoint();
  }

  HeadsView view_;
  SnapshotPtr snapshot_;
  std::vector<int> chosen_;
};

TEST_F(Heads, EveryCellHasTheColourOfItsPooledNumber) {
  show(makeSnapshot({4, 20}));
  const QImage image = view_.grab().toImage();
  const PooledMaps& maps = *snapshot_->attention.thumbnails;
  for (int head = 0; head < 4; ++head) {
    for (int i = 0; i < maps.used(); ++i) {
      for (int j = 0; j < maps.used(); ++j) {
        const QRgb expected =
            j <= i ? view_.scale().color(maps.map(head)[i * maps.size() + j]) : MapColors::from(view_.palette()).above;
        EXPECT_EQ(image.pixel(cellAt(head, i, j)), expected) << head << ": " << i << ", " << j;
      }
    }
  }
}

TEST_F(Heads, AGrowingMapIsPaintedAsOneFromScratch) {
  for (const QSize size : {QSize(700, 500), QSize(160, 150)}) {
    Made made{4, 130};
    show(makeSnapshot(made), size);
    view_.grab();
    for (; made.tokens < 150; ++made.tokens) {
      view_.setSnapshot(makeSnapshot(made));
      HeadsView fresh;
      fresh.resize(size);
      fresh.setSnapshot(makeSnapshot(made));
      ASSERT_EQ(view_.grab().toImage(), fresh.grab().toImage()) << made.tokens;
    }
  }
}

TEST_F(Heads, SaysHowManyOfTheQueriesAreInIt) {
  Made made{4, 40};
  made.whole_from = 30;
  made.stride = 8;
  show(makeSnapshot(made));
  const PooledMaps& maps = *snapshot_->attention.thumbnails;
  EXPECT_EQ(maps.rows(), 14);
  const QImage image = view_.grab().toImage();
  const MapColors colors = MapColors::from(view_.palette());
  EXPECT_EQ(image.pixel(cellAt(0, 17, 3)), (17 + 3) % 4 == 0 ? colors.missingInk : colors.missing);
  EXPECT_TRUE(view_.headline().endsWith(QStringLiteral(", 14 of 40 queries")));
}

TEST_F(Heads, SmallTilesShowTheLargestOfTheCellsThatShareAPixel) {
  show(makeSnapshot({1, 64}));
  const PooledMaps& maps = *snapshot_->attention.thumbnails;
  ASSERT_EQ(maps.used(), 64);
  const QImage image = thumbnailOf(maps, 0, 40, view_.scale(), MapColors::from(view_.palette()));
  ASSERT_EQ(image.width(), 32);
  for (int i = 0; i < 32; ++i) {
    for (int j = 0; j < i; ++j) {
      const auto at = [&](int y, int x) { return maps.map(0)[(2 * i + y) * 64 + 2 * j + x]; };
      EXPECT_EQ(image.pixel(j, i), view_.scale().color(std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)})));
    }
  }
}

TEST_F(Heads, ThumbnailsStartAtTheFirstRecordedQuery) {
  Made made{1, 60};
  made.first = 50;
  const auto snapshot = makeSnapshot(made);
  const PooledMaps& maps = *snapshot->attention.thumbnails;
  view_.setSnapshot(snapshot);
  const QImage image = thumbnailOf(maps, 0, 100, view_.scale(), MapColors::from(view_.palette()));
  ASSERT_EQ(image.size(), QSize(60, 10));
  EXPECT_EQ(image.pixel(7, 0), view_.scale().color(maps.map(0)[50 * 64 + 7]));
}

TEST_F(Heads, AClickOpensAHeadAndArrowKeysMove) {
  show(makeSnapshot({8, 20}));
  click(view_, view_.tileRect(5).center());
  EXPECT_EQ(chosen_, std::vector<int>{5});
  press(view_, Qt::Key_Left);
  press(view_, Qt::Key_Home);
  press(view_, Qt::Key_Left);
  press(view_, Qt::Key_End);
  EXPECT_EQ(chosen_, (std::vector<int>{5, 4, 0, 7}));
  EXPECT_EQ(view_.head(), 7);
}

TEST_F(Heads, FramesTheChosenHead) {
  show(makeSnapshot({4, 20}));
  const auto frameAt = [this](int head) {
    return view_.grab().toImage().pixel((view_.tileRect(head).topLeft() + QPointF(-1, 20)).toPoint());
  };
  const QRgb before = frameAt(2);
  view_.setHead(2);
  EXPECT_EQ(frameAt(2), MapColors::from(view_.palette()).accent.rgb());
  EXPECT_NE(before, frameAt(2));
}

TEST_F(Heads, HoverPreviewsAndTells) {
  show(makeSnapshot({4, 20}));
  std::vector<int> hovered;
  QObject::connect(&view_, &HeadsView::headHovered, [&](int head) { hovered.push_back(head); });
  hover(view_, view_.tileRect(1).center());
  hover(view_, view_.tileRect(1).center() + QPointF(3, 3));
  hover(view_, view_.tileRect(3).center());
  QEvent leave(QEvent::Leave);
  QApplication::sendEvent(&view_, &leave);
  EXPECT_EQ(hovered, (std::vector<int>{1, 3, -1}));
  const QPoint at = view_.tileRect(3).center().toPoint();
  QHelpEvent help(QEvent::ToolTip, at, view_.mapToGlobal(at));
  QApplication::sendEvent(&view_, &help);
  EXPECT_TRUE(QToolTip::text().startsWith(QStringLiteral("head h3, newest query 19"))) << QToolTip::text().toStdString();
  QToolTip::hideText();
}

TEST_F(Heads, ManyHeadsScrollAndStayQuick) {
  show(makeSnapshot({512, 40}), {500, 400});
  EXPECT_GE(view_.tileRect(0).width(), 50);
  EXPECT_GT(view_.tileRect(511).top(), 400);
  press(view_, Qt::Key_End);
  EXPECT_LT(view_.tileRect(511).bottom(), 400);
  const double before = view_.tileRect(511).top();
  wheel(view_, {100, 100}, 1);
  EXPECT_GT(view_.tileRect(511).top(), before);
}

TEST_F(Heads, AHundredHeadsPaintInAFractionOfAFrame) {
  const auto snapshot = makeSnapshot({128, 64});
  show(snapshot, {1200, 900});
  std::vector<SnapshotPtr> copies;  // each with thumbnails of its own, which the view has not seen
  for (int i = 0; i < 5; ++i) {
    auto next = std::make_shared<Snapshot>(*snapshot);
    next->attention.thumbnails = std::make_shared<PooledMaps>(*snapshot->attention.thumbnails);
    copies.push_back(next);
  }
  const double ms = bestMs([&] {
    view_.setSnapshot(copies.back());
    copies.pop_back();
    view_.repaint();
  });
  EXPECT_LT(ms, kFrameMs);
}

TEST_F(Heads, KeysAskForAnotherValue) {
  show(makeSnapshot({}));
  view_.setLayer(1);
  std::vector<AttentionRequest> requests;
  QObject::connect(&view_, &HeadsView::requestChanged, [&](const AttentionRequest& r) { requests.push_back(r); });
  press(view_, Qt::Key_3);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0], (AttentionRequest{true, 1, MapValue::nope}));
}

TEST_F(Heads, TheTableSumsUpEachHead) {
  const auto snapshot = makeSnapshot({3, 9});
  view_.setSnapshot(snapshot);
  const Table table = view_.table();
  ASSERT_EQ(table.rows.size(), 3u);
  double entropy = 0, largest = 0, first = 0;
  for (const auto& row : *snapshot->attention.rows) {
    first += row->weights[2 * row->keys];
    for (int key = 0; key < row->keys; ++key) {
      const double weight = row->weights[2 * row->keys + key];
      entropy -= weight * std::log2(weight);
      largest = std::max(largest, weight);
    }
  }
  EXPECT_EQ(table.rows[2][0], "2");
  EXPECT_EQ(table.rows[2][1], "9");
  EXPECT_NEAR(std::stod(table.rows[2][2]), entropy / 9, 1e-6);
  EXPECT_NEAR(std::stod(table.rows[2][3]), largest, 1e-6);
  EXPECT_NEAR(std::stod(table.rows[2][4]), first / 9, 1e-6);
}

TEST_F(Heads, EmptyAndFilesAtAnySize) {
  EXPECT_TRUE(view_.table().rows.empty());
  for (const int heads : {0, 1, 3, 128, 512}) {
    if (heads > 0) view_.setSnapshot(makeSnapshot({heads, 5}));
    for (const QSize size : {QSize(64, 48), QSize(320, 240), QSize(1600, 300)}) {
      QImage image(size, QImage::Format_RGB32);
      image.fill(Qt::magenta);
      QPainter painter(&image);
      view_.paintTo(painter, size);
      painter.end();
      EXPECT_NE(image.pixel(1, 1), QColor(Qt::magenta).rgb());
      EXPECT_NE(image.pixel(size.width() - 1, size.height() - 1), QColor(Qt::magenta).rgb());
    }
  }
}

TEST_F(Heads, KindsAreOnTheLabelsAndScoresInTheTooltip) {
  const auto plain = makeSnapshot({4, 20});
  show(plain);
  const QImage before = view_.grab().toImage();
  auto scored = std::make_shared<Snapshot>(*plain);
  scored->head_kinds = std::make_shared<const std::vector<HeadScore>>(
      std::vector<HeadScore>{{0, 1, 0.1, 0.2, 0.95}, {0, 2, 0.5, 0.6, 0.1}, {1, 3, 0.9, 0, 0}, {0, 0, 0.1, {}, {}}});
  view_.setSnapshot(scored);
  const QImage after = view_.grab().toImage();
  const auto label = [&](int head) {
    const QRect tile = view_.tileRect(head).toRect();  // the label stands above it
    return QRect(tile.left(), tile.top() - 18, tile.width(), 16);
  };
  for (const int head : {1, 2}) EXPECT_NE(before.copy(label(head)), after.copy(label(head))) << head;
  for (const int head : {0, 3}) EXPECT_EQ(before.copy(label(head)), after.copy(label(head))) << head;
  EXPECT_EQ(kindsLabel(*headScore(*scored, 1)), "induction");
  EXPECT_EQ(kindsLabel(*headScore(*scored, 2)), "sink, previous");
  EXPECT_EQ(kindsLabel(*headScore(*scored, 0)), "");
  EXPECT_FALSE(headScore(*scored, 3)) << "scored in another layer";
  const QPoint at = view_.tileRect(2).center().toPoint();
  QHelpEvent help(QEvent::ToolTip, at, view_.mapToGlobal(at));
  QApplication::sendEvent(&view_, &help);
  EXPECT_TRUE(QToolTip::text().contains("\nattention sink score 0.500 (label from 0.3): mean weight on the first token"))
      << QToolTip::text().toStdString();
  EXPECT_TRUE(QToolTip::text().contains("\ninduction score 0.100")) << QToolTip::text().toStdString();
  QToolTip::hideText();
}

}  // namespace
}  // namespace mla::ui
