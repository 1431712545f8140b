#include "ui/views/color_map.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

struct Lab {
  double l = 0, a = 0, b = 0;
};

double toLinear(int channel) {
  const double c = channel / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

int fromLinear(double c) {
  c = std::clamp(c, 0.0, 1.0);
  return int(std::lround(255 * (c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055)));
}

Lab toLab(QRgb color) {
  const double r = toLinear(qRed(color)), g = toLinear(qGreen(color)), b = toLinear(qBlue(color));
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s, 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

QRgb fromLab(const Lab& lab) {
  const double l = std::pow(lab.l + 0.3963377774 * lab.a + 0.2158037573 * lab.b, 3);
  const double m = std::pow(lab.l - 0.1055613458 * lab.a - 0.0638541728 * lab.b, 3);
  const double s = std::pow(lab.l - 0.0894841775 * lab.a - 1.2914855480 * lab.b, 3);
  return qRgb(fromLinear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
              fromLinear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
              fromLinear(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
}

/// The colour at lightness `l` on the line through `points`, which go from dark to light.
QRgb atLightness(const std::vector<Lab>& points, double l) {
  std::size_t i = 1;
  while (i + 1 < points.size() && points[i].l < l) ++i;
  const Lab &p = points[i - 1], &q = points[i];
  const double t = (l - p.l) / (q.l - p.l);
  return fromLab({l, p.a + t * (q.a - p.a), p.b + t * (q.b - p.b)});
}

std::vector<Lab> labs(std::initializer_list<QRgb> colors) {
  std::vector<Lab> points;
  for (const QRgb color : colors) points.push_back(toLab(color));
  return points;
}

double roundUp(double value) {
  if (!(value > 0) || !std::isfinite(value)) return 1;
  const double decade = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 3.0, 5.0}) {
    if (value <= step * decade) return step * decade;
  }
  return 10 * decade;
}

QString powerOfTen(int exponent) {
  if (exponent > -3) return QString::number(std::pow(10, exponent));
  QString label = QStringLiteral("10\u207b");
  for (const QChar digit : QString::number(-exponent)) {
    static constexpr char16_t superscripts[] = u"\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";
    label += QChar(superscripts[digit.digitValue()]);
  }
  return label;
}

}  // namespace

const ColorTable& sequentialColors() {
  static const ColorTable table = [] {
    const std::vector<Lab> points = labs({0xff440154, 0xff482878, 0xff3e4989, 0xff31688e, 0xff26828e, 0xff1f9e89, 0xff35b779,
                                          0xff6ece58, 0xffb5de2b, 0xfffde725});
    ColorTable colors;
    for (std::size_t i = 0; i < colors.size(); ++i) {
      const double t = double(i) / double(colors.size() - 1);
      colors[i] = atLightness(points, points.front().l + t * (points.back().l - points.front().l));
    }
    return colors;
  }();
  return table;
}

const ColorTable& divergingColors() {
  static const ColorTable table = [] {
    const std::vector<Lab> below = {{0.40, -0.02, -0.13}, {0.70, -0.03, -0.10}, {0.965, 0, 0}};
    const std::vector<Lab> above = {{0.40, 0.07, 0.08}, {0.70, 0.06, 0.11}, {0.965, 0, 0}};
    ColorTable colors;
    for (std::size_t i = 0; i < colors.size(); ++i) {
      const double t = 2 * double(i) / double(colors.size() - 1) - 1;
      colors[i] = atLightness(t < 0 ? below : above, 0.965 - std::abs(t) * (0.965 - 0.40));
    }
    return colors;
  }();
  return table;
}

double okLightness(QRgb color) { return toLab(color).l; }

ColorScale::ColorScale(Kind kind, double low, double high, const ColorTable& table)
    : kind_(kind), low_(low), high_(high), table_(&table) {
  offset_ = kind == Kind::log ? std::log2(low) : low;
  factor_ = 1 / ((kind == Kind::log ? std::log2(high) : high) - offset_);
}

ColorScale ColorScale::forWeights(bool log, int keys) {
  if (!log) return {Kind::linear, 0, 1, sequentialColors()};
  const double even = 0.1 / std::max(keys, 1);  // a tenth of an even spread
  return {Kind::log, std::min(1e-4, std::pow(10, std::floor(std::log10(even)))), 1, sequentialColors()};
}

ColorScale ColorScale::forScores(double largest) {
  const double limit = roundUp(largest);
  return {Kind::diverging, -limit, limit, divergingColors()};
}

ColorScale ColorScale::of(MapValue value, bool log, int keys, double largest) {
  return value == MapValue::weight ? forWeights(log, keys) : forScores(largest);
}

double ColorScale::position(double value) const {
  if (kind_ == Kind::log) value = value > low_ ? std::log2(float(value)) : offset_;
  const double p = (value - offset_) * factor_;
  return p > 0 ? std::min(p, 1.0) : 0;
}

std::vector<ColorTick> ColorScale::ticks() const {
  std::vector<ColorTick> ticks;
  if (kind_ == Kind::log) {
    for (int exponent = int(std::lround(std::log10(low_))); exponent <= 0; ++exponent) {
      const QString label = powerOfTen(exponent);
      ticks.push_back({position(std::pow(10, exponent)), ticks.empty() ? QStringLiteral("\u2264") + label : label});
    }
    return ticks;
  }
  for (int i = 0; i <= 4; ++i) {
    const double value = low_ + (high_ - low_) * i / 4;
    ticks.push_back({i / 4.0, QString::number(value, 'g', 3)});
  }
  return ticks;
}

MapColors MapColors::from(const QPalette& palette) {
  const bool dark = isDark(palette);
  MapColors colors;
  colors.background = palette.color(QPalette::Base);
  colors.text = palette.color(QPalette::Text);
  colors.faint = mutedText(palette);
  colors.frame = gridLine(palette);
  colors.accent = palette.color(QPalette::Highlight);
  colors.above = dark ? qRgb(58, 58, 60) : qRgb(205, 205, 208);
  colors.missing = dark ? qRgb(38, 38, 40) : qRgb(240, 240, 242);
  colors.missingInk = dark ? qRgb(105, 105, 110) : qRgb(150, 150, 155);
  return colors;
}

QColor inkOn(QRgb background) { return okLightness(background) > 0.62 ? Qt::black : Qt::white; }

QString titleOf(MapValue value) {
  switch (value) {
    case MapValue::weight:
      return QCoreApplication::translate("mla::ui::ColorMap", "attention weight");
    case MapValue::score:
      return QCoreApplication::translate("mla::ui::ColorMap", "score (NoPE + RoPE)");
    case MapValue::nope:
      return QCoreApplication::translate("mla::ui::ColorMap", "NoPE part of the score");
    case MapValue::rope:
      return QCoreApplication::translate("mla::ui::ColorMap", "RoPE part of the score");
  }
  return {};
}

QString fourDigits(double value) {
  if (value == 0 || !std::isfinite(value)) return QString::number(value);
  const double magnitude = std::abs(value);
  if (magnitude < 1e-5 || magnitude >= 1e6) return QString::number(value, 'e', 3);
  const int exponent = int(std::floor(std::log10(magnitude)));
  return QString::number(value, 'f', std::max(0, 3 - exponent));
}

}  // namespace mla::ui
