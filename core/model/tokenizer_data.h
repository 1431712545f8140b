#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/model/tokenizer_added.h"
#include "core/model/tokenizer_bpe.h"
#include "core/model/tokenizer_steps.h"

namespace mla {

/// How tokens become text again.
struct DecoderRules {
  bool byte_level = false;                                    ///< tokens are written in the byte-level alphabet
  std::vector<std::pair<std::string, std::string>> replaced;  ///< in each token, first by second
  bool byte_fallback = false;                                 ///< <0x0A> is a byte
  std::string strip;                                          ///< the character taken from the ends of the whole text
  int strip_start = 0;                                        ///< how often at most
  int strip_stop = 0;
};

/// All that a tokenizer.json says.
struct TokenizerData {
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizer;
  BpeModel model;
  DecoderRules decoder;
  AddedMatcher added;                      ///< found in the text as it is
  AddedMatcher added_normalized;           ///< found after the normalizer
  std::vector<int> prefix;                 ///< what the post-processor puts in front
  std::vector<int> suffix;                 ///< and behind
  std::string pieces;                      ///< bytes of all tokens, one after the other
  std::vector<std::uint32_t> piece_begin;  ///< by id; one more at the end
  std::vector<bool> special;               ///< by id
};

}  // namespace mla
