#pragma once

#include <QString>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/experiment.h"
#include "ui/controls/value_scale.h"

namespace mla::ui {

/// Why a setting means nothing in an experiment, as one sentence for a tooltip; empty where it can be changed.
QString reason_against(const Experiment& experiment, std::string_view setting);

/// What else changed when `asked` was set, e.g. "kv-heads 8, v-head-dim 128"; empty if nothing did.
QString what_followed(const Experiment& before, const Experiment& after, std::string_view asked);

/// Stops of a setting's slider and the range of its number box, which may depend on the experiment.
struct SettingRange {
  ValueScale stops;
  int low;
  int high;
};
SettingRange range_of(const Experiment& experiment, std::string_view setting);

}  // namespace mla::ui
