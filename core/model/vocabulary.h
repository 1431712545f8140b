#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/tokenizer.h"
#include "core/spec/experiment.h"

namespace mla {

/// How a model's token ids and text go into each other: by its tokenizer, as bytes (random models), or not at all, where ids
/// are all there is. A cheap value.
class Vocabulary {
 public:
  /// Ids without text, or, for a vocabulary of 256, bytes.
  explicit Vocabulary(int vocab_size = 0) : bytes_(vocab_size == 256) {}
  explicit Vocabulary(Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}

  /// Whether text goes in and comes out.
  bool has_text() const { return bytes_ || tokenizer_; }
  /// The ids that a run begins with to continue the text: what its tokenizer puts in front of it included. Fails without
  /// text, and on an id that `vocab_size` does not hold.
  Result<std::vector<int>> encode(std::string_view text, int vocab_size) const;
  /// The text that the ids stand for, as raw bytes; empty without text.
  std::string decode(std::span<const int> ids) const;
  /// One token for the eye: control characters, special marks and bytes that are no UTF-8 are escaped ("\n", "\x9c"); the id
  /// where there is no text.
  std::string display(int id) const;
  /// What is put in front of every text, if anything.
  std::optional<int> begin_token() const { return tokenizer_ ? tokenizer_->begin_token() : std::nullopt; }

 private:
  bool bytes_ = false;
  std::optional<Tokenizer> tokenizer_;
};

/// The vocabulary of the experiment's model. Tokenizers are read once and kept. A checkpoint without tokenizer.json has no
/// text; a broken one is an error that names the file and the reason.
Result<Vocabulary> vocabulary_of(const Experiment& experiment);

/// The ids of the experiment's prompt; none where its model has no text or the prompt is empty.
Result<std::vector<int>> prompt_of(const Experiment& experiment);

}  // namespace mla
