#include "ui/controls/head_split_bar.h"

#include <gtest/gtest.h>

#include <QSignalSpy>
#include <QTest>

namespace mla::ui {
namespace {

class HeadSplitBarTest : public testing::Test {
 protected:
  HeadSplitBarTest() : spy_(&bar_, &HeadSplitBar::ropeChosen) {
    bar_.resize(192, 28);
    bar_.setSplit(64, 32);
    bar_.show();
  }
  HeadSplitBar bar_;
  QSignalSpy spy_;
};

TEST_F(HeadSplitBarTest, ShowingASplitTellsNobody) {
  EXPECT_EQ(spy_.count(), 0);
  EXPECT_EQ(bar_.nope(), 64);
  EXPECT_EQ(bar_.rope(), 32);
}

TEST_F(HeadSplitBarTest, TheDividerIsDraggedWithTheButtonStillDown) {
  QTest::mousePress(&bar_, Qt::LeftButton, {}, QPoint(128, 10));
  QTest::mouseMove(&bar_, QPoint(97, 10));
  ASSERT_GE(spy_.count(), 1);
  EXPECT_EQ(spy_.last().at(0).toInt(), 48);
  QTest::mouseMove(&bar_, QPoint(500, 10));
  EXPECT_EQ(spy_.last().at(0).toInt(), 0);
  QTest::mouseRelease(&bar_, Qt::LeftButton);
}

TEST_F(HeadSplitBarTest, KeysMoveByPairsAndToTheEnds) {
  QTest::keyClick(&bar_, Qt::Key_Left);
  EXPECT_EQ(spy_.last().at(0).toInt(), 34);
  QTest::keyClick(&bar_, Qt::Key_End);
  EXPECT_EQ(bar_.rope(), 0);
  QTest::keyClick(&bar_, Qt::Key_Home);
  EXPECT_EQ(bar_.rope(), 96);
}

TEST_F(HeadSplitBarTest, TheRopePartStaysEvenInAnOddHead) {
  bar_.setSplit(15, 6);
  for (int x = 0; x <= bar_.width(); x += 7) {
    QTest::mousePress(&bar_, Qt::LeftButton, {}, QPoint(x, 10));
    QTest::mouseRelease(&bar_, Qt::LeftButton, {}, QPoint(x, 10));
    EXPECT_EQ(bar_.rope() % 2, 0);
    EXPECT_EQ(bar_.nope() + bar_.rope(), 21);
  }
}

}  // namespace
}  // namespace mla::ui
