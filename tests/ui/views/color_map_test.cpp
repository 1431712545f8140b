#include "ui/views/color_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

double linear(int channel) {
  const double c = channel / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

/// CIE L*, 0 … 100: a measure of lightness that the tables were not made with.
double cieLightness(double r, double g, double b) {
  const double y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

double cieLightness(QRgb color) { return cieLightness(linear(qRed(color)), linear(qGreen(color)), linear(qBlue(color))); }

/// What a full dichromat sees, by Machado, Oliveira and Fernandes (2009), in linear light.
using Matrix = std::array<std::array<double, 3>, 3>;
constexpr Matrix protan = {
    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix deutan = {
    {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}};
constexpr Matrix tritan = {
    {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};

double seenLightness(const Matrix& m, QRgb color) {
  const double rgb[3] = {linear(qRed(color)), linear(qGreen(color)), linear(qBlue(color))};
  double seen[3];
  for (int i = 0; i < 3; ++i) seen[i] = std::clamp(m[i][0] * rgb[0] + m[i][1] * rgb[1] + m[i][2] * rgb[2], 0.0, 1.0);
  return cieLightness(seen[0], seen[1], seen[2]);
}

TEST(ColorMap, SequentialLightnessRisesInEvenSteps) {
  const ColorTable& table = sequentialColors();
  const double range = okLightness(table.back()) - okLightness(table.front());
  EXPECT_GT(range, 0.6);
  for (std::size_t i = 1; i < table.size(); ++i) {
    const double even = okLightness(table.front()) + range * double(i) / 255;
    EXPECT_NEAR(okLightness(table[i]), even, 0.006) << i;  // 8-bit rounding
  }
  for (std::size_t i = 8; i < table.size(); i += 8) {
    EXPECT_NEAR(cieLightness(table[i]) - cieLightness(table[i - 8]),
                (cieLightness(table.back()) - cieLightness(table.front())) * 8 / 255, 1.2)
        << i;
  }
}

TEST(ColorMap, SequentialOrderSurvivesColourBlindness) {
  const ColorTable& table = sequentialColors();
  for (const Matrix& sight : {protan, deutan, tritan}) {
    for (std::size_t i = 8; i < table.size(); i += 8)
      EXPECT_GT(seenLightness(sight, table[i]), seenLightness(sight, table[i - 8])) << i;
  }
}

TEST(ColorMap, DivergingIsSymmetricInLightnessAndItsSidesStayApart) {
  const ColorTable& table = divergingColors();
  for (std::size_t i = 0; i < 128; ++i) {
    EXPECT_NEAR(okLightness(table[i]), okLightness(table[255 - i]), 0.006) << i;
    EXPECT_GE(okLightness(table[i]), okLightness(table[i == 0 ? 0 : i - 1]) - 0.002) << i;
  }
  const QColor middle(table[127]);
  EXPECT_LT(middle.hslSaturation() * (255 - middle.lightness()), 255 * 12);  // nearly grey
  EXPECT_GT(qBlue(table[30]), qRed(table[30]) + 40);
  EXPECT_GT(qRed(table[225]), qBlue(table[225]) + 40);
  for (const Matrix& sight : {protan, deutan}) {  // the blue-yellow difference is the one these two keep
    const auto blue = [&](QRgb c) {
      return sight[2][0] * linear(qRed(c)) + sight[2][1] * linear(qGreen(c)) + sight[2][2] * linear(qBlue(c));
    };
    EXPECT_GT(blue(table[30]), 2 * blue(table[225]));
  }
}

TEST(ColorMap, LinearAndLogScalesPlaceWeights) {
  const ColorScale line = ColorScale::forWeights(false, 10), log = ColorScale::forWeights(true, 10);
  EXPECT_DOUBLE_EQ(line.position(0.25), 0.25);
  for (double value = 1e-4; value < 1; value *= 1.037) {
    EXPECT_NEAR(log.position(value), 1 + std::log10(value) / 4, 1e-5) << value;
  }
  EXPECT_EQ(log.position(0), 0);
  EXPECT_EQ(log.position(1), 1);
  EXPECT_EQ(line.position(std::nan("")), 0);
  EXPECT_EQ(line.color(1), sequentialColors().back());
  EXPECT_EQ(log.low(), 1e-4);
  EXPECT_NEAR(ColorScale::forWeights(true, 5000).low(), 1e-5, 1e-12) << "an even spread must stay in sight";
}

TEST(ColorMap, ScoresAreSymmetricAboutZero) {
  const ColorScale scale = ColorScale::forScores(7.3);
  EXPECT_EQ(scale.high(), 10);
  EXPECT_EQ(scale.low(), -scale.high());
  EXPECT_DOUBLE_EQ(scale.position(0), 0.5);
  EXPECT_NEAR(scale.position(3) + scale.position(-3), 1, 1e-12);
  EXPECT_EQ(ColorScale::of(MapValue::rope, true, 5, 0).high(), 1) << "all scores 0";
}

TEST(ColorMap, TicksSayTheirNumbers) {
  const auto ticks = ColorScale::forWeights(true, 10).ticks();
  ASSERT_EQ(ticks.size(), 5u);
  EXPECT_EQ(ticks.front().label, QStringLiteral("≤10⁻⁴"));
  EXPECT_EQ(ticks[2].label, QStringLiteral("0.01"));
  EXPECT_EQ(ticks.back().label, QStringLiteral("1"));
  EXPECT_EQ(ColorScale::forScores(4).ticks().front().label, QStringLiteral("-5"));
}

TEST(ColorMap, WhatIsNoValueHasAColourOfItsOwn) {
  for (const QPalette& palette : {lightPalette(), darkPalette()}) {
    const MapColors colors = MapColors::from(palette);
    EXPECT_NE(colors.above, colors.missing);
    EXPECT_NE(colors.missing, colors.missingInk);
    for (const ColorTable* table : {&sequentialColors(), &divergingColors()}) {
      for (const QRgb color : *table) {
        const int distance = std::abs(qRed(color) - qRed(colors.above)) + std::abs(qGreen(color) - qGreen(colors.above)) +
                             std::abs(qBlue(color) - qBlue(colors.above));
        EXPECT_GT(distance, 24) << QColor(color).name().toStdString();
      }
    }
  }
}

TEST(ColorMap, FourDigits) {
  EXPECT_EQ(fourDigits(0.0123456), QStringLiteral("0.01235"));
  EXPECT_EQ(fourDigits(1), QStringLiteral("1.000"));
  EXPECT_EQ(fourDigits(-12.3456), QStringLiteral("-12.35"));
  EXPECT_EQ(fourDigits(3.1e-9), QStringLiteral("3.100e-09"));
  EXPECT_EQ(fourDigits(0), QStringLiteral("0"));
}

}  // namespace
}  // namespace mla::ui
