#include "ui/theme/theme.h"

#include <QFontDatabase>
#include <QStyle>
#include <QStyleFactory>
#include <QToolTip>
#include <algorithm>
#include <array>
#include <cmath>

namespace mla::ui {
namespace {

struct Shades {
  QRgb window, base, alternate, button, text, disabled, line, highlight, highlighted, link, tip;
};

constexpr Shades kLight{0xfff3f4f6, 0xffffffff, 0xfff0f2f5, 0xffe9ebee, 0xff1b1e22, 0xff8b9097,
                        0xffc9cdd2, 0xff0b6bb0, 0xffffffff, 0xff0b5fa5, 0xffffffff};
constexpr Shades kDark{0xff25282c, 0xff1b1d20, 0xff212428, 0xff33373c, 0xffe4e7ea, 0xff7c828a,
                       0xff474c53, 0xff2f7fc1, 0xffffffff, 0xff6db7f2, 0xff2d3136};

QPalette paletteOf(const Shades& s) {
  QPalette p(QColor::fromRgb(s.button), QColor::fromRgb(s.window));
  const std::array<std::pair<QPalette::ColorRole, QRgb>, 14> roles{{
      {QPalette::Window, s.window},
      {QPalette::WindowText, s.text},
      {QPalette::Base, s.base},
      {QPalette::AlternateBase, s.alternate},
      {QPalette::Text, s.text},
      {QPalette::Button, s.button},
      {QPalette::ButtonText, s.text},
      {QPalette::BrightText, s.highlighted},
      {QPalette::ToolTipBase, s.tip},
      {QPalette::ToolTipText, s.text},
      {QPalette::Highlight, s.highlight},
      {QPalette::HighlightedText, s.highlighted},
      {QPalette::Link, s.link},
      {QPalette::LinkVisited, s.link},
  }};
  for (const auto& [role, color] : roles) p.setColor(role, QColor::fromRgb(color));
  for (auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::HighlightedText})
    p.setColor(QPalette::Disabled, role, QColor::fromRgb(s.disabled));
  p.setColor(QPalette::Disabled, QPalette::Highlight, QColor::fromRgb(s.line));
  p.setColor(QPalette::PlaceholderText, QColor::fromRgb(s.disabled));
  p.setColor(QPalette::Mid, QColor::fromRgb(s.line));
  return p;
}

double channel(double value) { return value <= 0.03928 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4); }

double luminance(const QColor& c) {
  return 0.2126 * channel(c.redF()) + 0.7152 * channel(c.greenF()) + 0.0722 * channel(c.blueF());
}

}  // namespace

QPalette lightPalette() { return paletteOf(kLight); }
QPalette darkPalette() { return paletteOf(kDark); }

void applyTheme(QApplication& app, ThemeChoice choice) {
  static const bool platform_is_dark = isDark(QApplication::palette());  // before the first palette of ours
  const bool dark = choice == ThemeChoice::dark || (choice == ThemeChoice::system && platform_is_dark);
  if (app.style()->name().compare("fusion", Qt::CaseInsensitive) != 0) app.setStyle(QStyleFactory::create("Fusion"));
  const QPalette palette = dark ? darkPalette() : lightPalette();
  app.setPalette(palette);
  QToolTip::setPalette(palette);
}

bool isDark(const QPalette& palette) {
  return luminance(palette.color(QPalette::WindowText)) > luminance(palette.color(QPalette::Window));
}

QColor seriesColor(int index, bool dark) {
  // blue, vermillion, green, purple, orange, sky blue, yellow, grey, violet
  static constexpr std::array<QRgb, kSeriesColors> on_light{0xff0072b2, 0xffd55e00, 0xff00805d, 0xffa8568a, 0xffb07700,
                                                            0xff2f8fc4, 0xff857a00, 0xff6b7075, 0xff5b3fa8};
  static constexpr std::array<QRgb, kSeriesColors> on_dark{0xff4da3e8, 0xfff07a2c, 0xff2bb58a, 0xffd98bb6, 0xfff0b030,
                                                           0xff8fd0f5, 0xffe6dc50, 0xffa8adb3, 0xffb39cf0};
  const auto i = std::size_t((index % kSeriesColors + kSeriesColors) % kSeriesColors);
  return QColor::fromRgb(dark ? on_dark[i] : on_light[i]);
}

double contrastRatio(const QColor& a, const QColor& b) {
  const auto [low, high] = std::minmax({luminance(a), luminance(b)});
  return (high + 0.05) / (low + 0.05);
}

QColor blend(const QColor& a, const QColor& b, double amount) {
  const auto mix = [amount](float x, float y) { return float(x + (y - x) * amount); };
  return QColor::fromRgbF(mix(a.redF(), b.redF()), mix(a.greenF(), b.greenF()), mix(a.blueF(), b.blueF()));
}

QColor mutedText(const QPalette& palette) {
  return blend(palette.color(QPalette::Text), palette.color(QPalette::Base), 0.32);
}

QColor warningTint(const QPalette& palette) {
  return blend(palette.color(QPalette::Window), seriesColor(1, isDark(palette)), 0.3);
}

QColor gridLine(const QPalette& palette) {
  return blend(palette.color(QPalette::Base), palette.color(QPalette::Text), 0.13);
}

QFont strongFont(const QFont& base) {
  QFont font = base;
  font.setWeight(QFont::DemiBold);
  return font;
}

QFont smallFont(const QFont& base) {
  QFont font = base;
  if (base.pointSizeF() > 0)
    font.setPointSizeF(base.pointSizeF() * 0.9);
  else
    font.setPixelSize(std::max(1, int(std::lround(base.pixelSize() * 0.9))));
  return font;
}

QFont monospaceFont(const QFont& base) {
  QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
  if (base.pointSizeF() > 0)
    font.setPointSizeF(base.pointSizeF());
  else
    font.setPixelSize(base.pixelSize());
  return font;
}

}  // namespace mla::ui
