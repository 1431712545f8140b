#pragma once

#include <QColor>
#include <QPalette>
#include <QString>
#include <array>
#include <vector>

#include "core/analysis/pooled_map.h"

namespace mla::ui {

/// Colours from low to high.
using ColorTable = std::array<QRgb, 256>;

/// Dark violet to yellow: the hues of viridis (Smith and van der Walt, 2015), placed at evenly spaced OKLab lightness.
const ColorTable& sequentialColors();
/// Blue by way of near-white to brown, lightness even and symmetric about the middle; safe for the three dichromacies.
const ColorTable& divergingColors();

/// Lightness L of OKLab (Ottosson, 2020), 0 … 1.
double okLightness(QRgb color);

/// A number on a legend.
struct ColorTick {
  double position = 0;  ///< 0 … 1 along the scale
  QString label;
};

/// From a value of a map to its colour, and the ticks that say so.
class ColorScale {
 public:
  enum class Kind { linear, log, diverging };

  /// For weights: 0 … 1, or powers of ten from 1e-4 (less where an even spread over `keys` would be) to 1.
  static ColorScale forWeights(bool log, int keys);
  /// For scores: symmetric about 0, as far as the next round number from `largest`, the largest magnitude.
  static ColorScale forScores(double largest);
  static ColorScale of(MapValue value, bool log, int keys, double largest);

  Kind kind() const { return kind_; }
  double low() const { return low_; }
  double high() const { return high_; }
  /// 0 … 1, clamped; what is not a number lies at 0.
  double position(double value) const;
  QRgb color(double value) const { return (*table_)[index(position(value))]; }
  QRgb colorAt(double position) const { return (*table_)[index(position)]; }
  std::vector<ColorTick> ticks() const;
  bool operator==(const ColorScale&) const = default;

 private:
  ColorScale(Kind kind, double low, double high, const ColorTable& table);
  static std::size_t index(double position) { return std::size_t(position * 255 + 0.5); }
  Kind kind_;
  double low_, high_;
  double offset_, factor_;  ///< position = (value or its logarithm - offset) * factor
  const ColorTable* table_;
};

/// What a map needs beside its scale, from the palette in use.
struct MapColors {
  QColor background, text, faint, frame, accent;
  QRgb above;                ///< cells above the diagonal: keys that come after the query
  QRgb missing, missingInk;  ///< hatched: queries that were not recorded
  static MapColors from(const QPalette& palette);
};

/// Black or white, whichever reads better on `background`.
QColor inkOn(QRgb background);

/// "attention weight", "score" …, translated.
QString titleOf(MapValue value);
/// Four significant digits, e.g. "0.01234", "-2.500", "3.100e-09".
QString fourDigits(double value);

}  // namespace mla::ui
