#pragma once

#include <QString>
#include <QStringList>
#include <memory>
#include <optional>
#include <vector>

#include "core/analysis/comparison.h"
#include "ui/views/color_map.h"
#include "ui/views/triangle_map.h"
#include "ui/views/view.h"

namespace mla::ui {

/// One head of a comparison, as three maps: the first experiment's weights, the second's, second - first.
struct CompareScene {
  std::shared_ptr<const Comparison> comparison;
  int head = 0;
  bool log = true;                    ///< colours of the weights
  QString message;                    ///< instead of maps while there are none
  std::optional<TriangleCell> focus;  ///< pointed at or walked to, shown on all maps
  bool interactive = false;           ///< on a screen, where the readout says what can be done

  bool empty() const { return !comparison || comparison->ids.empty(); }
  /// The weights of the shown head, [tokens, tokens]; null where that side has no such head.
  const std::vector<float>* weights(int side) const;
  /// Of the shown head; null unless both sides have it.
  const HeadDifference* difference() const;
};

/// The scale of both maps of weights.
ColorScale weightScale(const CompareScene& scene);
/// The scale of their difference: symmetric about 0, as far as the largest one.
ColorScale differenceScale(const CompareScene& scene);

/// Layer, head and how far its weights are apart, in one line.
QString compareHeadline(const CompareScene& scene);
/// "first: c 64", "second: c 8", "second − first (difference)".
QStringList compareTitles(const CompareScene& scene);
/// Query, key, both weights and their difference at the focus.
QString compareReadout(const CompareScene& scene);

/// A line of the table below the maps; what was not measured is not set.
struct CompareQuantity {
  const char* column;  ///< as the CSV calls it; all times are medians
  QString label;
  std::optional<double> first, second;
  std::optional<double> difference;
  QString (*text)(double value);
  std::optional<double> ratio() const;
};

std::vector<CompareQuantity> compareQuantities(const Comparison& comparison);
/// Label, first, second, difference with its sign, ratio: each as it is printed.
QStringList cellsOf(const CompareQuantity& quantity);
/// The names of those columns; the first one's is empty.
QStringList compareColumns();

/// The quantities, then every pair of the shown head.
Table compareTable(const CompareScene& scene);

}  // namespace mla::ui
