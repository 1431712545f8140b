#pragma once

#include <cstddef>
#include <deque>
#include <vector>

namespace mla::ui {

/// The median of the newest `window` values, one value at a time; a value costs O(window).
class RunningMedian {
 public:
  explicit RunningMedian(std::size_t window) : window_(window) {}

  /// Takes a value and gives the median of those in the window, the mean of the middle two where their number is even.
  double add(double value);

 private:
  std::size_t window_;
  std::deque<double> order_;    // oldest first
  std::vector<double> sorted_;  // the same values
};

}  // namespace mla::ui
