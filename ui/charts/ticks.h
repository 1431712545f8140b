#pragma once

#include <QString>
#include <vector>

#include "ui/charts/chart_data.h"

namespace mla::ui {

struct Range {
  double min = 0;
  double max = 1;
};

struct Tick {
  double value = 0;
  QString label;
};

/// Ticks of an axis at round values.
struct Ticks {
  std::vector<Tick> ticks;
  QString unit;  ///< what all labels count, for the axis title; empty where there is none or each label says its own
};

/// About `most` ticks within the range at most, and at least two where round values allow it. Decimal steps of 1, 2 or 5;
/// bytes in powers of two, in KiB, MiB …; counts never between whole numbers; on a log axis whole powers,
/// of two for bytes and counts.
Ticks ticksFor(Range range, Unit unit, Scale scale, int most);

/// A value in full for a readout, e.g. "24.0 KiB (24,576 bytes)", "0.3142 ms".
QString exactText(double value, Unit unit);

/// The next round number that is at least `value`: 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten.
double niceCeil(double value);

}  // namespace mla::ui
