#pragma once

#include <vector>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// Runs kept for comparison.
class Pins {
 public:
  void pin(const Experiment& experiment, std::shared_ptr<const std::vector<Step>> steps) {
    runs_.push_back({experiment, {}, std::move(steps)});
  }
  /// Ignores an index that there is not.
  void unpin(int index) {
    if (index >= 0 && index < int(runs_.size())) runs_.erase(runs_.begin() + index);
  }
  /// Named by what tells them from each other and from the present run.
  std::vector<PinnedRun> named(const Experiment& present) const;

 private:
  std::vector<PinnedRun> runs_;
};

}  // namespace mla::ui
