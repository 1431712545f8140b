#include "ui/views/tokens_view.h"

#include <gtest/gtest.h>

#include <QHelpEvent>
#include <QToolTip>
#include <cmath>

#include "tests/ui/views/map_fixture.h"

namespace mla::ui {
namespace {

class Tokens : public testing::Test {
 protected:
  void show(const SnapshotPtr& snapshot, QSize size = {640, 320}) {
    QObject::connect(&view_, &TokensView::tokenChosen, [this](int token) { chosen_.push_back(token); });
    snapshot_ = snapshot;
    view_.resize(size);
    view_.show();
    view_.setSnapshot(snapshot);
    QApplication::processEvents();
  }
  const AttentionRow& row(int query) { return *(*snapshot_->attention.rows)[query - snapshot_->attention.first]; }
  QRgb fill(int token) {
    return view_.grab().toImage().pixel((view_.tokenRect(token).topLeft() + QPointF(0.5, 2.5)).toPoint());
  }

  TokensView view_;
  SnapshotPtr snapshot_;
  std::vector<int> chosen_;
};

TEST_F(Tokens, AreColouredByTheNewestQuerysWeights) {
  show(makeSnapshot({4, 30}));
  view_.setHead(2);
  EXPECT_EQ(view_.query(), 29);
  for (int token = 0; token < 29; ++token) {
    EXPECT_EQ(view_.weightOf(token), row(29).weights[2 * 30 + token]);
    EXPECT_EQ(fill(token), view_.scale().color(row(29).weights[2 * 30 + token])) << token;
  }
}

TEST_F(Tokens, AClickPinsARowAndEscapeFollowsAgain) {
  show(makeSnapshot({4, 30}));
  click(view_, view_.tokenRect(12).center());
  EXPECT_EQ(chosen_, std::vector<int>{12});
  EXPECT_EQ(view_.query(), 12);
  EXPECT_EQ(fill(3), view_.scale().color(row(12).weights[3]));
  EXPECT_TRUE(std::isnan(view_.weightOf(13))) << "a later token gets nothing";
  EXPECT_EQ(fill(20), MapColors::from(view_.palette()).background.rgb());
  view_.setSnapshot(makeSnapshot({4, 31}));
  EXPECT_EQ(view_.query(), 12);
  press(view_, Qt::Key_Escape);
  EXPECT_EQ(view_.query(), 30);
  EXPECT_EQ(chosen_, (std::vector<int>{12, -1}));
}

TEST_F(Tokens, MeanOverHeads) {
  show(makeSnapshot({4, 10}));
  press(view_, Qt::Key_M);
  double mean = 0;
  for (int head = 0; head < 4; ++head) mean += row(9).weights[head * 10 + 5] / 4.0;
  EXPECT_NEAR(view_.weightOf(5), mean, 1e-6);
}

TEST_F(Tokens, GeneratedOnesAreUnderlinedAndPromptOnesAreNot) {
  show(makeSnapshot({1, 30}));
  const QImage image = view_.grab().toImage();
  const auto underline = [&](int token) {
    const QRectF rect = view_.tokenRect(token);
    return image.pixel(int(rect.left()) + 2, int(rect.bottom()) - 3) !=
           image.pixel(int(rect.left()) + 2, int(rect.bottom()) - 2);
  };
  EXPECT_FALSE(underline(4));  // a space of the prompt
  EXPECT_TRUE(underline(9));   // a generated space
}

TEST_F(Tokens, HoverTellsTheWeight) {
  show(makeSnapshot({1, 30}));
  hover(view_, view_.tokenRect(7).center());
  EXPECT_TRUE(view_.readout().contains(QStringLiteral("token 7 “o”")));
  EXPECT_TRUE(view_.readout().contains(fourDigits(row(29).weights[7])));
  EXPECT_TRUE(view_.readout().contains(QStringLiteral("generated")));
  const QPoint at = view_.tokenRect(2).center().toPoint();
  hover(view_, at);
  QHelpEvent help(QEvent::ToolTip, at, view_.mapToGlobal(at));
  QApplication::sendEvent(&view_, &help);
  EXPECT_EQ(QToolTip::text(), view_.readout());
  EXPECT_TRUE(view_.readout().contains(QStringLiteral("from the prompt")));
  QToolTip::hideText();
}

TEST_F(Tokens, KeysWalkAndPin) {
  show(makeSnapshot({1, 30}));
  press(view_, Qt::Key_Home);
  press(view_, Qt::Key_Right);
  press(view_, Qt::Key_Return);
  EXPECT_EQ(chosen_, std::vector<int>{1});
}

TEST_F(Tokens, ScrollsToTheEndWhileDecodingUnlessScrolledBack) {
  show(makeSnapshot({1, 1500}), {400, 200});
  EXPECT_LT(view_.tokenRect(1499).bottom(), 200);
  EXPECT_LT(view_.tokenRect(0).bottom(), 0);
  view_.setSnapshot(makeSnapshot({1, 1700}));
  EXPECT_LT(view_.tokenRect(1699).bottom(), 200);
  EXPECT_GT(view_.tokenRect(1699).top(), 0);
  wheel(view_, {50, 60}, 3);
  const QRectF kept = view_.tokenRect(1000);
  view_.setSnapshot(makeSnapshot({1, 1900}));
  EXPECT_EQ(view_.tokenRect(1000), kept);
}

TEST_F(Tokens, ThousandsOfTokensPaintInAFrame) {
  Made made{1, 4096};
  made.first = 4090;
  made.vectors = true;
  show(makeSnapshot(made));
  const double ms = bestMs([&] {
    view_.setSnapshot(snapshot_);
    view_.repaint();
  });
  EXPECT_LT(ms, kFrameMs);
}

TEST_F(Tokens, VectorsAreNamedAndTheTableHoldsAll) {
  Made made{2, 6};
  made.vectors = true;
  show(makeSnapshot(made));
  const Table table = view_.table();
  ASSERT_EQ(table.rows.size(), 6u);
  EXPECT_EQ(table.rows[3], (std::vector<std::string>{"3", "-1", "x3", "false", table.rows[3][4]}));
  EXPECT_EQ(std::stof(table.rows[3][4]), row(5).weights[3]);
  EXPECT_EQ(table.rows[5][3], "true");
  view_.pinQuery(2);
  EXPECT_EQ(view_.table().rows[4][4], "");
}

TEST_F(Tokens, EmptyAndFilesAtAnySize) {
  EXPECT_TRUE(view_.table().rows.empty());
  EXPECT_EQ(view_.query(), -1);
  for (const int tokens : {0, 3, 3000}) {
    if (tokens > 0) view_.setSnapshot(makeSnapshot({1, tokens}));
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

}  // namespace
}  // namespace mla::ui
