#include "ui/controls/value_scale.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace mla::ui {

ValueScale ValueScale::every(int low, int high) {
  std::vector<int> stops(high - low + 1);
  std::iota(stops.begin(), stops.end(), low);
  return ValueScale(std::move(stops));
}

ValueScale ValueScale::octaves(int low, int high) {
  std::vector<int> stops{low};
  const auto add = [&](int value) {
    if (value > stops.back() && value <= high) stops.push_back(value);
  };
  for (int power = 1; power <= high; power *= 2) {
    add(power);
    add(power + power / 2);
  }
  add(high);
  return ValueScale(std::move(stops));
}

ValueScale ValueScale::none_or_octaves(int low, int high) {
  ValueScale scale = octaves(low, high);
  scale.stops_.insert(scale.stops_.begin(), 0);
  return scale;
}

ValueScale ValueScale::divisors(int of) {
  std::vector<int> stops;
  for (int i = 1; i <= of; ++i) {
    if (of % i == 0) stops.push_back(i);
  }
  return ValueScale(std::move(stops));
}

int ValueScale::nearest(int value) const {
  const auto closer = [value](int a, int b) { return std::abs(a - value) < std::abs(b - value); };
  return int(std::min_element(stops_.begin(), stops_.end(), closer) - stops_.begin());
}

}  // namespace mla::ui
