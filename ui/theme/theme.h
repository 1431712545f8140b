#pragma once

#include <QApplication>
#include <QColor>
#include <QFont>
#include <QPalette>

namespace mla::ui {

/// `system` follows the lightness of the platform's own palette at the program's start.
enum class ThemeChoice { system, light, dark };

/// Gives the application the Fusion style and our light or dark palette; every widget hears of it as a PaletteChange.
void applyTheme(QApplication& app, ThemeChoice choice);

/// The palettes themselves, for painting without an application-wide change.
QPalette lightPalette();
QPalette darkPalette();

/// Whether text is lighter than what it stands on.
bool isDark(const QPalette& palette);

/// How many colours there are before they repeat.
inline constexpr int kSeriesColors = 9;

/// Colour of the index-th series: the hues of Okabe and Ito (2008), which the common colour blindnesses keep apart, shifted
/// in lightness so that each has a contrast of at least 3:1 against our backgrounds. Any index; they repeat.
QColor seriesColor(int index, bool dark);

/// WCAG 2.1 contrast ratio of two opaque colours, 1 to 21.
double contrastRatio(const QColor& a, const QColor& b);

/// `amount` 0 gives `a`, 1 gives `b`.
QColor blend(const QColor& a, const QColor& b, double amount);

/// Text of second rank (axis labels, captions), still readable: at least 4.5:1.
QColor mutedText(const QPalette& palette);
/// What stands behind text that warns: an orange that the common colour blindnesses tell from the window, under text of at
/// least 7:1.
QColor warningTint(const QPalette& palette);
/// Lines that only help the eye.
QColor gridLine(const QPalette& palette);

/// Fonts derived from a widget's own, so that they scale with it.
QFont strongFont(const QFont& base);
QFont smallFont(const QFont& base);
QFont monospaceFont(const QFont& base);

}  // namespace mla::ui
