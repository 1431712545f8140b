#include "core/model/tokenizer.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <unordered_map>

#include "core/io/file.h"
#include "core/model/tokenizer_read.h"
#include "core/spec/text.h"

namespace mla {
namespace {

constexpr std::size_t max_remembered = 256;  // bytes of a word; longer ones seldom come twice

/// One text on its way to ids.
class Encoding {
 public:
  Encoding(const TokenizerData& data, std::vector<int>& ids) : data_(data), ids_(ids) {}

  Status run(std::string_view text) {
    bool first = true, joined = false;
    while (!text.empty()) {
      const std::size_t valid = invalid_utf8(text).value_or(text.size());
      if (valid > 0) {
        if (Status done = valid_text(text.substr(0, valid), first, joined); !done) return done;
      }
      first = false;
      joined = valid < text.size();
      if (joined) data_.model.encode_byte(static_cast<unsigned char>(text[valid]), ids_);
      text.remove_prefix(std::min(valid + 1, text.size()));
    }
    return {};
  }

 private:
  Status valid_text(std::string_view text, bool first, bool joined) {
    std::vector<AddedSpan> spans;
    if (Status found = data_.added.find(text, spans); !found) return found;
    for (const AddedSpan& span : spans) {
      const bool start = span.begin == 0;
      const Piece piece{text.substr(span.begin, span.end - span.begin), first && start, joined && start};
      if (span.id) {
        ids_.push_back(*span.id);
      } else if (Status done = plain_text(piece); !done) {
        return done;
      }
    }
    return {};
  }

  Status plain_text(Piece piece) {
    if (!data_.normalizer.empty()) {
      Result<std::string> normalized = normalize(data_.normalizer, std::string(piece.text), piece.joined);
      if (!normalized) return normalized.error();
      piece.text = arena_.emplace_back(std::move(*normalized));
    }
    std::vector<AddedSpan> spans;
    if (Status found = data_.added_normalized.find(piece.text, spans); !found) return found;
    for (const AddedSpan& span : spans) {
      const bool start = span.begin == 0;
      if (span.id) {
        ids_.push_back(*span.id);
      } else if (Status done = words(
                     {piece.text.substr(span.begin, span.end - span.begin), piece.first && start, piece.joined && start});
                 !done) {
        return done;
      }
    }
    return {};
  }

  Status words(const Piece& piece) {
    std::vector<Piece> pieces{piece};
    if (Status done = pre_tokenize(data_.pre_tokenizer, arena_, pieces); !done) return done;
    for (const Piece& word : pieces) encode_word(word.text);
    return {};
  }

  /// A word seen before is copied from where its ids were written first.
  void encode_word(std::string_view word) {
    if (word.size() > max_remembered) return data_.model.encode_word(word, ids_);
    const auto [known, fresh] = seen_.try_emplace(word);
    if (!fresh) {
      for (std::size_t i = known->second.first; i < known->second.second; ++i) ids_.push_back(ids_[i]);
      return;
    }
    known->second.first = ids_.size();
    data_.model.encode_word(word, ids_);
    known->second.second = ids_.size();
  }

  const TokenizerData& data_;
  std::vector<int>& ids_;
  Arena arena_;
  std::unordered_map<std::string_view, std::pair<std::size_t, std::size_t>> seen_;  // by word: where its ids begin and end
};

/// Removes the character from the start of the text, or from its end, at most so many times.
void strip(std::string& text, const std::string& character, int start, int stop) {
  std::size_t begin = 0;
  for (; start > 0 && !character.empty() && text.compare(begin, character.size(), character) == 0; --start) {
    begin += character.size();
  }
  text.erase(0, begin);
  for (; stop > 0 && !character.empty() && text.ends_with(character); --stop) text.resize(text.size() - character.size());
}

}  // namespace

Result<Tokenizer> Tokenizer::open(const std::string& directory) {
  std::error_code failed;
  if (!std::filesystem::is_directory(directory, failed)) return Error{directory + ": not a model directory"};
  const std::string path = (std::filesystem::path(directory) / "tokenizer.json").string();
  const Result<std::string> text = read_file(path);
  if (!text) return text.error();
  return from_json(*text, path);
}

Result<Tokenizer> Tokenizer::from_json(std::string_view text, const std::string& source) {
  Result<std::shared_ptr<const TokenizerData>> data = read_tokenizer(text, source);
  if (!data) return data.error();
  return Tokenizer(std::move(*data));
}

Result<std::vector<int>> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  std::vector<int> ids;
  ids.reserve(text.size() / 3);
  if (add_special_tokens) ids = data_->prefix;
  if (Status done = Encoding(*data_, ids).run(text); !done) return done.error();
  if (add_special_tokens) ids.insert(ids.end(), data_->suffix.begin(), data_->suffix.end());
  return ids;
}

std::string_view Tokenizer::piece(int id) const {
  if (id < 0 || id >= vocab_size()) return {};
  const std::size_t begin = data_->piece_begin[std::size_t(id)], end = data_->piece_begin[std::size_t(id) + 1];
  return std::string_view(data_->pieces).substr(begin, end - begin);
}

std::string Tokenizer::decode(std::span<const int> ids) const {
  std::string text;
  for (const int id : ids) text += piece(id);
  const DecoderRules& rules = data_->decoder;
  strip(text, rules.strip, rules.strip_start, rules.strip_stop);
  return text;
}

bool Tokenizer::is_special(int id) const { return id >= 0 && id < vocab_size() && data_->special[std::size_t(id)]; }

int Tokenizer::vocab_size() const { return static_cast<int>(data_->special.size()); }

std::optional<int> Tokenizer::begin_token() const {
  if (data_->prefix.empty()) return std::nullopt;
  return data_->prefix.front();
}

}  // namespace mla
