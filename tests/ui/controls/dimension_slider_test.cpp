#include "ui/controls/dimension_slider.h"

#include <gtest/gtest.h>

#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>

namespace mla::ui {
namespace {

class DimensionSliderTest : public testing::Test {
 protected:
  DimensionSliderTest() : slider_(ValueScale({2, 4, 8, 16, 32}), 1, 100), spy_(&slider_, &DimensionSlider::valueChosen) {
    slider_.resize(300, 30);
    slider_.setValue(8);
    slider_.show();
  }
  int last() const { return spy_.isEmpty() ? -1 : spy_.last().at(0).toInt(); }

  DimensionSlider slider_;
  QSignalSpy spy_;
};

TEST_F(DimensionSliderTest, ShowingAValueTellsNobody) {
  slider_.setValue(4);
  slider_.setScale(ValueScale({1, 4, 9}), 1, 9);
  EXPECT_EQ(spy_.count(), 0);
  EXPECT_EQ(slider_.value(), 4);
  EXPECT_EQ(slider_.slider()->value(), 1);
}

TEST_F(DimensionSliderTest, ActsWhileDraggedWithTheButtonStillDown) {
  QSlider* slider = slider_.slider();
  QTest::mousePress(slider, Qt::LeftButton, {}, QPoint(slider->width() / 2, slider->height() / 2));
  QTest::mouseMove(slider, QPoint(slider->width() * 3 / 4, slider->height() / 2));
  EXPECT_EQ(last(), 16);
  QTest::mouseMove(slider, QPoint(slider->width() - 1, slider->height() / 2));
  EXPECT_EQ(last(), 32);
  EXPECT_EQ(slider_.box()->value(), 32);
  EXPECT_TRUE(slider->isSliderDown());
  QTest::mouseRelease(slider, Qt::LeftButton);
}

TEST_F(DimensionSliderTest, KeysMoveByStopsAndToTheEnds) {
  QTest::keyClick(slider_.slider(), Qt::Key_Right);
  EXPECT_EQ(last(), 16);
  QTest::keyClick(slider_.slider(), Qt::Key_Home);
  EXPECT_EQ(last(), 2);
  QTest::keyClick(slider_.slider(), Qt::Key_PageUp);
  EXPECT_EQ(last(), 4);
  QTest::keyClick(slider_.slider(), Qt::Key_End);
  EXPECT_EQ(last(), 32);
}

TEST_F(DimensionSliderTest, TheWheelTurnsIt) {
  const QPointF middle = slider_.slider()->rect().center();
  QWheelEvent up(middle, slider_.slider()->mapToGlobal(middle), {}, {0, 120}, Qt::NoButton, Qt::NoModifier,
                 Qt::NoScrollPhase, false);
  QApplication::sendEvent(slider_.slider(), &up);
  EXPECT_GT(last(), 8);
}

TEST_F(DimensionSliderTest, TheBoxTakesNumbersBetweenTheStops) {
  slider_.box()->selectAll();
  QTest::keyClicks(slider_.box(), "13");
  EXPECT_EQ(spy_.count(), 0) << "half a number is no setting";
  QTest::keyClick(slider_.box(), Qt::Key_Return);
  EXPECT_EQ(last(), 13);
  EXPECT_EQ(slider_.slider()->value(), 3) << "the nearest stop";
}

}  // namespace
}  // namespace mla::ui
