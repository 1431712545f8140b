#include "ui/controls/transport_bar.h"

#include <gtest/gtest.h>

#include <QSignalSpy>
#include <QTest>

namespace mla::ui {
namespace {

TEST(TransportBarTest, TellsWhatIsPressedAndShowsWhatIsSet) {
  TransportBar bar;
  bar.show();
  QSignalSpy plays(&bar, &TransportBar::playToggled), steps(&bar, &TransportBar::stepWanted),
      resets(&bar, &TransportBar::resetWanted);
  bar.setPlaying(true);
  EXPECT_TRUE(bar.playAction()->isChecked());
  EXPECT_EQ(plays.count(), 0);
  bar.playAction()->trigger();
  ASSERT_EQ(plays.count(), 1);
  EXPECT_FALSE(plays[0][0].toBool());
  bar.stepAction()->trigger();
  bar.resetAction()->trigger();
  EXPECT_EQ(steps.count(), 1);
  EXPECT_EQ(resets.count(), 1);
}

TEST(TransportBarTest, TheSpeedEndsInNoLimit) {
  TransportBar bar;
  bar.show();
  QSignalSpy speeds(&bar, &TransportBar::speedChosen);
  QTest::keyClick(bar.speedSlider(), Qt::Key_Right);
  EXPECT_EQ(speeds.last().at(0).toDouble(), 30);
  QTest::keyClick(bar.speedSlider(), Qt::Key_End);
  EXPECT_EQ(speeds.last().at(0).toDouble(), 0);
  QTest::keyClick(bar.speedSlider(), Qt::Key_Home);
  EXPECT_EQ(speeds.last().at(0).toDouble(), 1);
}

}  // namespace
}  // namespace mla::ui
