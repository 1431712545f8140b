#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/model/tokenizer_pattern.h"

namespace mla {

/// A part of a text on its way to the model.
struct Piece {
  std::string_view text;
  bool first = false;   ///< it begins where the whole text begins
  bool joined = false;  ///< it follows a byte outside UTF-8: nothing is put in front of it
};

/// Texts that steps have made; pieces point into them.
using Arena = std::deque<std::string>;

/// What Split does with its matches.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

/// Cuts pieces at the matches of a pattern.
struct SplitStep {
  Pattern pattern;
  SplitBehavior behavior = SplitBehavior::isolated;
  bool invert = false;  ///< what does not match counts as the match
};

/// Where Metaspace puts its mark in front.
enum class PrependScheme { never, first, always };

/// Writes spaces as a mark (▁), puts one in front, and cuts before each where `split`.
struct MetaspaceStep {
  std::string mark;
  PrependScheme scheme = PrependScheme::always;
  bool split = true;
};

/// Puts a space in front of a piece that has none (ByteLevel's add_prefix_space).
struct PrefixSpaceStep {};

/// One part of a pre-tokenizer.
using PreTokenizerStep = std::variant<SplitStep, MetaspaceStep, PrefixSpaceStep>;

/// Puts each step's result in place of the pieces; none of them is empty afterwards.
Status pre_tokenize(const std::vector<PreTokenizerStep>& steps, Arena& arena, std::vector<Piece>& pieces);

/// Puts a text in front of one that is not empty.
struct PrependStep {
  std::string text;
};
/// Writes another text for each match.
struct ReplaceStep {
  Pattern pattern;
  std::string content;
};
/// One part of a normalizer.
using NormalizerStep = std::variant<PrependStep, ReplaceStep>;

/// The text after all steps.
Result<std::string> normalize(const std::vector<NormalizerStep>& steps, std::string text, bool joined);

}  // namespace mla
