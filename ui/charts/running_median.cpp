#include "ui/charts/running_median.h"

#include <algorithm>

namespace mla::ui {

double RunningMedian::add(double value) {
  if (order_.size() == window_) {
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), order_.front()));
    order_.pop_front();
  }
  order_.push_back(value);
  sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), value), value);
  const std::size_t half = sorted_.size() / 2;
  return sorted_.size() % 2 ? sorted_[half] : (sorted_[half - 1] + sorted_[half]) / 2;
}

}  // namespace mla::ui
