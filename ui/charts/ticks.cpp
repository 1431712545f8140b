#include "ui/charts/ticks.h"

#include <QCoreApplication>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "core/spec/format.h"

namespace mla::ui {
namespace {

constexpr std::array kByteUnits{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};

/// The binary unit in which `bytes` is at least 1 and below 1024 where there is one.
int byteUnit(double bytes) {
  const int unit = bytes < 1 ? 0 : int(std::floor(std::log2(bytes) / 10));
  return std::clamp(unit, 0, int(kByteUnits.size()) - 1);
}

/// A number with just the decimals that steps of `step` need, thousands grouped.
QString plain(double value, double step) {
  if (value == 0) return QStringLiteral("0");
  const int decimals = step >= 1 ? 0 : int(std::ceil(-std::log10(step) - 1e-9));
  if (decimals == 0 && std::abs(value) < 9e15) return QString::fromStdString(format_count(std::llround(value)));
  return QString::number(value, 'f', decimals);
}

double decimalStep(double least) {
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

Ticks linearTicks(Range range, Unit unit, int most) {
  const double least = (range.max - range.min) / most;
  Ticks out;
  double step = 0, scale = 1;
  if (unit == Unit::bytes) {
    step = std::max(1.0, std::exp2(std::ceil(std::log2(least) - 1e-9)));
    const int power = byteUnit(range.max);
    scale = std::exp2(10 * power);
    out.unit = QString::fromLatin1(kByteUnits[std::size_t(power)]);
  } else {
    step = decimalStep(least);
    if (unit == Unit::count) step = std::max(1.0, step);
    if (unit == Unit::ms) out.unit = QStringLiteral("ms");
  }
  const double shown = step / scale;  // byte steps are powers of two: 0.5 needs one decimal, 0.25 two
  double precision = shown;
  if (unit == Unit::bytes && shown < 1) precision = std::pow(10, std::log2(shown));
  for (double i = std::ceil(range.min / step - 1e-9); i * step <= range.max * (1 + 1e-9); ++i)
    out.ticks.push_back({i * step, plain(i * shown, precision)});
  return out;
}

QString byteLabel(double bytes) {
  const int unit = byteUnit(bytes);
  const QString name = unit == 0 ? QStringLiteral("B") : QString::fromLatin1(kByteUnits[std::size_t(unit)]);
  return QString::number(bytes / std::exp2(10 * unit), 'g', 4) + QChar(0xa0) + name;
}

QString powerLabel(double value) { return value >= 1 && value < 1e7 ? plain(value, 1) : QString::number(value, 'g', 6); }

Ticks logTicks(Range range, Unit unit, int most) {
  const double base = unit == Unit::bytes || unit == Unit::count ? 2 : 10;
  const double low = std::log(range.min) / std::log(base), high = std::log(range.max) / std::log(base);
  const double step = std::max(1.0, std::ceil((high - low) / most));
  Ticks out;
  if (unit == Unit::ms) out.unit = QStringLiteral("ms");
  const bool fill = base == 10 && (high - low) * 3 <= most;  // few decades: 2 and 5 as well
  for (double i = std::floor(low / step); i * step <= high + 1e-9; ++i)
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor > 1 && !fill) continue;
      const double value = factor * std::pow(base, i * step);
      if (value < range.min * (1 - 1e-9) || value > range.max * (1 + 1e-9)) continue;
      out.ticks.push_back({value, unit == Unit::bytes ? byteLabel(value) : powerLabel(value)});
    }
  return out;
}

}  // namespace

Ticks ticksFor(Range range, Unit unit, Scale scale, int most) {
  if (!(range.max > range.min)) return {};
  Ticks ticks;
  for (most = std::max(most, 2); ticks.ticks.size() < 2 && most < 16; ++most)
    ticks = scale == Scale::log ? logTicks(range, unit, most) : linearTicks(range, unit, most);
  return ticks;
}

QString exactText(double value, Unit unit) {
  switch (unit) {
    case Unit::bytes: {
      const auto bytes = std::int64_t(std::llround(value));
      if (bytes < 1024) return QCoreApplication::translate("Chart", "%1 bytes").arg(bytes);
      return QCoreApplication::translate("Chart", "%1 (%2 bytes)")
          .arg(QString::fromStdString(format_bytes(bytes)), QString::fromStdString(format_count(bytes)));
    }
    case Unit::ms:
      return QString::number(value, 'g', 4) + QStringLiteral(" ms");
    case Unit::count:
      return QString::fromStdString(format_count(std::llround(value)));
    case Unit::number:
      break;
  }
  return QString::number(value, 'g', 6);
}

double niceCeil(double value) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0})
    if (factor * power >= value * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

}  // namespace mla::ui
