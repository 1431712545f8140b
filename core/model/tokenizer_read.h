#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/tokenizer_data.h"
#include "core/spec/result.h"

namespace mla {

/// The most ids that a tokenizer may have; known ones stay below 300,000.
inline constexpr int max_tokens = 1 << 20;

/// The text of a tokenizer.json, read and checked whole.
Result<std::shared_ptr<const TokenizerData>> read_tokenizer(std::string_view text, const std::string& source);

// Parts of it. `where` begins every message: the file and the part's name.

/// The model, and its tokens' texts by id ("" where there is none). data.model.byte_level is set already.
Result<std::vector<std::string>> read_bpe_model(const std::string& where, const nlohmann::json& object, BpeModel& model);

Status read_normalizer(const std::string& where, const nlohmann::json& object, std::vector<NormalizerStep>& steps);
/// Sets `byte_level` where the last step is ByteLevel.
Status read_pre_tokenizer(const std::string& where, const nlohmann::json& object, std::vector<PreTokenizerStep>& steps,
                          bool& byte_level);
Status read_decoder(const std::string& where, const nlohmann::json& object, DecoderRules& rules);
/// Adds to data.prefix and data.suffix.
Status read_post_processor(const std::string& where, const nlohmann::json& object, TokenizerData& data);

/// The list in that field, or why there is none.
Result<const nlohmann::json*> read_list(const std::string& where, const nlohmann::json& object, const char* name);

}  // namespace mla
