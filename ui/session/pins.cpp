#include "ui/session/pins.h"

#include "ui/session/run_names.h"

namespace mla::ui {

std::vector<PinnedRun> Pins::named(const Experiment& present) const {
  std::vector<const Experiment*> experiments;
  for (const PinnedRun& run : runs_) experiments.push_back(&run.experiment);
  const std::vector<QString> names = names_of_runs(experiments, present);
  std::vector<PinnedRun> named = runs_;
  for (std::size_t i = 0; i < named.size(); ++i) named[i].name = names[i];
  return named;
}

}  // namespace mla::ui
