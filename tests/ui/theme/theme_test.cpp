#include "ui/theme/theme.h"

#include <gtest/gtest.h>

#include <QFontInfo>
#include <QStyle>

namespace mla::ui {
namespace {

TEST(Theme, ContrastRatioIsThatOfWcag) {
  EXPECT_NEAR(contrastRatio(Qt::black, Qt::white), 21, 1e-6);
  EXPECT_NEAR(contrastRatio(Qt::red, Qt::white), 3.998, 2e-3);
  EXPECT_EQ(contrastRatio(Qt::white, Qt::red), contrastRatio(Qt::red, Qt::white));
}

TEST(Theme, EverySeriesColorStandsOutFromBothBackgrounds) {
  for (const QPalette& palette : {lightPalette(), darkPalette()})
    for (const auto role : {QPalette::Base, QPalette::Window})
      for (int i = 0; i < kSeriesColors; ++i)
        EXPECT_GE(contrastRatio(seriesColor(i, isDark(palette)), palette.color(role)), 3.0) << i << " on role " << role;
}

TEST(Theme, SeriesColorsDifferFromEachOtherAndRepeat) {
  for (const bool dark : {false, true}) {
    for (int i = 0; i < kSeriesColors; ++i)
      for (int j = 0; j < i; ++j) EXPECT_NE(seriesColor(i, dark), seriesColor(j, dark));
    EXPECT_EQ(seriesColor(kSeriesColors + 2, dark), seriesColor(2, dark));
  }
}

TEST(Theme, TextIsReadable) {
  for (const QPalette& palette : {lightPalette(), darkPalette()}) {
    EXPECT_GE(contrastRatio(palette.color(QPalette::Text), palette.color(QPalette::Base)), 11);
    EXPECT_GE(contrastRatio(palette.color(QPalette::WindowText), palette.color(QPalette::Window)), 11);
    EXPECT_GE(contrastRatio(palette.color(QPalette::ButtonText), palette.color(QPalette::Button)), 7);
    EXPECT_GE(contrastRatio(palette.color(QPalette::HighlightedText), palette.color(QPalette::Highlight)), 3);
    EXPECT_GE(contrastRatio(palette.color(QPalette::Link), palette.color(QPalette::Window)), 4.5);
    EXPECT_GE(contrastRatio(mutedText(palette), palette.color(QPalette::Base)), 4.5);
    EXPECT_GE(contrastRatio(palette.color(QPalette::WindowText), warningTint(palette)), 7);
  }
}

TEST(Theme, LightAndDarkAreWhatTheySay) {
  EXPECT_FALSE(isDark(lightPalette()));
  EXPECT_TRUE(isDark(darkPalette()));
  EXPECT_NE(lightPalette().color(QPalette::Base), darkPalette().color(QPalette::Base));
}

TEST(Theme, ApplyingOneChangesTheApplication) {
  applyTheme(*qApp, ThemeChoice::system);
  const bool platform_is_dark = isDark(QApplication::palette());
  applyTheme(*qApp, ThemeChoice::dark);
  EXPECT_TRUE(isDark(QApplication::palette()));
  EXPECT_EQ(QApplication::style()->name().toLower(), "fusion");
  applyTheme(*qApp, ThemeChoice::system);  // the platform's, not the one just set
  EXPECT_EQ(isDark(QApplication::palette()), platform_is_dark);
  applyTheme(*qApp, ThemeChoice::light);
  EXPECT_FALSE(isDark(QApplication::palette()));
}

TEST(Theme, FontsFollowTheirBase) {
  QFont base;
  base.setPointSizeF(20);
  EXPECT_DOUBLE_EQ(smallFont(base).pointSizeF(), 18);
  EXPECT_DOUBLE_EQ(strongFont(base).pointSizeF(), 20);
  EXPECT_GT(strongFont(base).weight(), base.weight());
  EXPECT_DOUBLE_EQ(monospaceFont(base).pointSizeF(), 20);
  base.setPixelSize(30);
  EXPECT_EQ(smallFont(base).pixelSize(), 27);
  EXPECT_EQ(monospaceFont(base).pixelSize(), 30);
}

}  // namespace
}  // namespace mla::ui
