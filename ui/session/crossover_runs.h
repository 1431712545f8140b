#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// The crossovers that were measured, by the settings that they depend on, and whether one is wanted. Belongs to the
/// worker's thread.
class CrossoverRuns {
 public:
  /// What a measurement can start from.
  struct Known {
    ComputeBackend* backend = nullptr;
    std::shared_ptr<const ModelWeights> weights;
    Ceilings ceilings;
  };

  void want(bool wanted) { wanted_ = wanted; }
  bool wanted() const { return wanted_; }

  /// Measures it and keeps it, or the reason why that failed; `shown` is called with the fraction done, and report() has
  /// what there is. Stopped, it stays wanted until want() says otherwise, and gives null.
  std::shared_ptr<const Crossover> measure(const Experiment& experiment, const Known& known,
                                           const std::function<void(double)>& shown, const std::stop_token& stop);

  CrossoverReport report(const Experiment& experiment) const;

 private:
  bool wanted_ = false;
  std::string running_;  // key of what is being measured; empty: nothing is
  CrossoverReport so_far_;
  std::map<std::string, CrossoverReport> known_;
};

}  // namespace mla::ui
