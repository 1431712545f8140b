#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/experiment.h"

namespace mla {

/// Values that one token puts into the cache of one layer, per sequence. 0 for `uncached`.
///   MHA, GQA, MQA: 2 G dh;  MLA latent: c + r;  MLA expanded: H (n + r + v);  toy expanded: c + H v (its key is the
///   latent).
std::int64_t cache_values_per_token(const ModelSpec& spec, AttentionPath path);

/// Bytes per token of one sequence over `layers` layers.
std::int64_t cache_bytes_per_token(const ModelSpec& spec, AttentionPath path, CacheDtype dtype, int layers);

/// One line of the comparison between variants.
struct MemoryLine {
  Variant variant;
  AttentionPath path;
  std::string label;                 ///< e.g. "GQA-8", "MLA latent", "MLA expanded"
  std::int64_t bytes_per_token = 0;  ///< one sequence, all num_hidden_layers of the model
  std::int64_t total_bytes = 0;      ///< times context and batch
};

/// The experiment's own line first, then the other variants at the same dimensions (with_variant), all layers counted.
std::vector<MemoryLine> compare_memory(const Experiment& experiment);

/// Free memory of this machine in bytes (MemAvailable), less what a control group leaves.
std::int64_t available_memory();

/// What a run needs at its full context: weights (of a checkpoint those that it can reach: the layers that run, and as many
/// experts as its tokens can be routed to), cache, scratch.
struct MemoryNeed {
  std::int64_t weights = 0;
  std::int64_t cache = 0;
  std::int64_t scratch = 0;
  std::int64_t total() const;  ///< saturates
};
MemoryNeed memory_need(const Experiment& experiment);

/// Bytes of the activations of one chunk of a pass, on any device.
std::int64_t activation_bytes(const Experiment& experiment);

/// What an uncached pass rebuilds: fp32 rows of all layers as `expanded` has them, and the inputs that it remembers.
std::int64_t recomputed_bytes(const Experiment& experiment);

/// Refuses, with both figures, an experiment that needs more than `available` bytes; `where` ends "are free".
Status check_need(const Experiment& experiment, const MemoryNeed& need, std::int64_t available, std::string_view where = "");

/// Refuses, with both figures, an experiment that needs more than `available` bytes of the machine's memory, where another
/// backend than the CPU's holds the weights alone. `shared_weights`: bytes already held.
Status check_fits(const Experiment& experiment, std::int64_t available, std::int64_t shared_weights = 0);

}  // namespace mla
