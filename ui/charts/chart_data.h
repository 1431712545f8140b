#pragma once

#include <QList>
#include <QPointF>
#include <QString>
#include <optional>
#include <string>
#include <vector>

#include "ui/views/view.h"

namespace mla::ui {

/// Where a series' numbers come from; the legend says it, and only what was measured is drawn solid.
enum class Role { measured, formula, modelled };

enum class Stroke { normal, thin, bold };

enum class Scale { linear, log };

/// What an axis counts; decides its steps and the wording of its numbers.
enum class Unit { number, count, bytes, ms };

struct Series {
  QString name;        ///< as the legend has it
  std::string column;  ///< as a CSV has it, unit included
  Role role = Role::measured;
  Stroke stroke = Stroke::normal;
  int color = 0;            ///< index of seriesColor(), whose colours come again with other dashes; -1: the colour of text
  QList<QPointF> points{};  ///< by ascending x; points with a NaN are skipped
  bool stacked = true;      ///< in a StackedAreaChart: an area upon the one before; false: a line over all of them
  bool operator==(const Series&) const = default;
};

struct Axis {
  QString title;       ///< without the unit, e.g. "cache"
  std::string column;  ///< as a CSV has it, unit included
  Unit unit = Unit::number;
  Scale scale = Scale::linear;
  std::optional<double> min, max;  ///< from the data where unset; points beyond them are drawn at the edge
  bool operator==(const Axis&) const = default;
};

/// A value of x that matters, e.g. where two lines cross: a line across the plot, dashed unless it was measured.
struct Marker {
  double x = 0;
  QString label;
  Role role = Role::measured;
  bool operator==(const Marker&) const = default;
};

/// All that a chart shows, as one value.
struct ChartData {
  QString headline;     ///< the one thing to see, above the chart
  QString legend_note;  ///< what the legend says beside its series, e.g. why one is missing
  QString caption;      ///< what has to be known to read it, below the chart
  QString empty;        ///< said in the middle of the chart where set
  Axis x, y;
  std::vector<Series> series;  ///< of lines, the first is drawn on top of the others
  std::vector<Marker> markers{};
  bool operator==(const ChartData&) const = default;
};

/// The numbers behind a chart: one row per x of any series, one column per series, empty where a series has no such x.
Table tableOf(const ChartData& data);

}  // namespace mla::ui
