#include "core/spec/experiment.h"

#include <algorithm>

#include "core/spec/limits.h"
#include "core/spec/settings.h"

namespace mla {

namespace {

Status validate_path(const Experiment& e) {
  const auto known = paths_of(e.spec.attention.variant);
  if (std::find(known.begin(), known.end(), e.path) != known.end()) return {};
  return Error{"attention is " + std::string(name_of(e.path)) + ": variant " +
               std::string(name_of(e.spec.attention.variant)) + " has no such path, it has uncached, expanded"};
}

Status validate_length(const Experiment& e) {
  if (auto status = within("context", e.context, limits::context); !status) return status;
  if (e.prefill < 0 || e.prefill >= e.context) {
    return Error{"prefill is " + std::to_string(e.prefill) + ": must be from 0 to one below the context " +
                 std::to_string(e.context)};
  }
  // A checkpoint's tokenizer may make fewer tokens than bytes; its prompt is checked once it is tokenised.
  const bool prompted = e.model.empty() && e.spec.vocab_size > 0 && e.prefill > 0;
  const std::int64_t needed = e.prefill + std::int64_t(e.prompt.size());
  if (!prompted || needed <= e.context) return {};
  return Error{"prefill is " + std::to_string(e.prefill) + ": with the prompt's " + std::to_string(e.prompt.size()) +
               " bytes it must be at most the context " + std::to_string(e.context)};
}

}  // namespace

Status validate(const Experiment& experiment) {
  if (auto status = validate(experiment.spec); !status) return status;
  if (auto status = validate_path(experiment); !status) return status;
  if (auto status = validate_length(experiment); !status) return status;
  if (experiment.model.empty() && experiment.spec.attention.joint_rank > 0)
    return Error{"joint_rank is " + std::to_string(experiment.spec.attention.joint_rank) +
                 ": the rank lens looks at trained weights, and there is no model"};
  if (auto status = within("layers", experiment.layers, {1, experiment.spec.num_hidden_layers}); !status) return status;
  if (auto status = within("batch", experiment.batch, limits::batch); !status) return status;
  if (auto status = within("threads", experiment.threads, limits::threads); !status) return status;
  for (const char* name : {"backend", "isa", "temperature", "top-k", "top-p", "prompt"}) {
    if (auto status = recheck(experiment, name); !status) return status;
  }
  return {};
}

Experiment default_experiment() { return {}; }

}  // namespace mla
