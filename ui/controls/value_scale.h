#pragma once

#include <vector>

namespace mla::ui {

/// The values that a slider stops at: few enough to hit, dense where it matters. A number box beside it takes all the
/// others.
class ValueScale {
 public:
  /// `stops` ascend and are not empty.
  explicit ValueScale(std::vector<int> stops) : stops_(std::move(stops)) {}
  /// Every whole number.
  static ValueScale every(int low, int high);
  /// Powers of two and one value between each: 2, 3, 4, 6, 8, 12 …; both ends are on it.
  static ValueScale octaves(int low, int high);
  /// 0 ("none"), then octaves.
  static ValueScale none_or_octaves(int low, int high);
  /// Whole divisors of a number.
  static ValueScale divisors(int of);

  int size() const { return int(stops_.size()); }
  int value(int stop) const { return stops_[stop]; }
  /// The stop whose value is nearest, the lower one of two.
  int nearest(int value) const;
  bool operator==(const ValueScale&) const = default;

 private:
  std::vector<int> stops_;
};

}  // namespace mla::ui
