#include "core/analysis/comparison_refusals.h"

#include <algorithm>
#include <string>

#include "core/analysis/comparison.h"
#include "core/analysis/memory.h"
#include "core/spec/format.h"

namespace mla {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

Status check_length(const Experiment& first, const Experiment& second, std::size_t tokens) {
  if (tokens == 0) return Error{"comparison: no tokens were given"};
  if (tokens > std::size_t(kMostComparedTokens))
    return Error{"comparison: " + number(std::int64_t(tokens)) + " tokens: must be at most " + number(kMostComparedTokens)};
  const int context = std::min(first.context, second.context);
  if (tokens <= std::size_t(context)) return {};
  return Error{"comparison: " + number(std::int64_t(tokens)) + " tokens: the context of the " +
               (first.context == context ? "first" : "second") + " experiment is " + number(context)};
}

/// Blocks without a vocabulary decode vectors, which their seed and width determine.
Status check_vectors(const Experiment& first, const Experiment& second) {
  const int width = first.spec.attention.hidden_size, other = second.spec.attention.hidden_size;
  if (width != other)
    return Error{"comparison: hidden-size is " + number(width) + " and " + number(other) +
                 ": without a vocabulary both must take the same vectors"};
  if (first.seed != second.seed)
    return Error{"comparison: seed is " + std::to_string(first.seed) + " and " + std::to_string(second.seed) +
                 ": without a vocabulary the input vectors come from it, and both must be fed the same ones"};
  return {};
}

Status check_ids(const LoadedModel& first, const LoadedModel& second, std::span<const int> tokens) {
  const int vocab = first.experiment.spec.vocab_size;
  const bool texts = first.vocabulary.has_text() && second.vocabulary.has_text();
  for (const int token : tokens) {
    if (token < 0 || token >= vocab)
      return Error{"comparison: token " + number(token) + ": the vocabulary has ids 0 to " + number(vocab - 1)};
    if (!texts || first.vocabulary.display(token) == second.vocabulary.display(token)) continue;
    return Error{"comparison: token " + number(token) + " is \"" + first.vocabulary.display(token) +
                 "\" in the first model and \"" + second.vocabulary.display(token) +
                 "\" in the second: they do not share a vocabulary"};
  }
  return {};
}

Status check_inputs(const LoadedModel& first, const LoadedModel& second, std::span<const int> tokens) {
  const int vocab = first.experiment.spec.vocab_size, other = second.experiment.spec.vocab_size;
  if (vocab != other)
    return Error{"comparison: the vocabularies have " + number(vocab) + " and " + number(other) +
                 " ids: both models must read the same tokens"};
  return vocab == 0 ? check_vectors(first.experiment, second.experiment) : check_ids(first, second, tokens);
}

Status check_layer(const Experiment& first, const Experiment& second, int layer) {
  const int fewest = std::min(first.layers, second.layers);
  if (layer >= 0 && layer < fewest) return {};
  return Error{"comparison: layer is " + number(layer) + ": must be from 0 to " + number(fewest - 1) +
               ", the layers that run in both"};
}

/// Both sides' maps, which only the comparison needs; what the models need is checked where they are loaded and run.
Status check_maps(const Experiment& first, const Experiment& second, std::size_t tokens) {
  const std::int64_t heads =
      std::int64_t(first.spec.attention.num_attention_heads) + second.spec.attention.num_attention_heads;
  const std::int64_t needed = heads * std::int64_t(tokens * tokens) * 4, available = available_memory();
  if (needed <= available) return {};
  return Error{"comparison: " + number(std::int64_t(tokens)) + " tokens of " + number(heads) + " heads need " +
               format_bytes(needed) + " for their maps, " + format_bytes(available) + " are free"};
}

}  // namespace

Status check_comparison(const LoadedModel& first, const LoadedModel& second, std::span<const int> tokens, int layer) {
  const Experiment &a = first.experiment, &b = second.experiment;
  if (Status good = check_length(a, b, tokens.size()); !good) return good;
  if (Status good = check_inputs(first, second, tokens); !good) return good;
  if (Status good = check_layer(a, b, layer); !good) return good;
  return check_maps(a, b, tokens.size());
}

}  // namespace mla
