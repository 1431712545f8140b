#include "core/model/vocabulary.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>

#include "core/model/model_catalog.h"
#include "core/spec/text.h"

namespace mla {
namespace {

namespace fs = std::filesystem;

void append_escaped(std::string& out, unsigned char byte) {
  if (byte == '\n') {
    out += "\\n";
  } else if (byte == '\t') {
    out += "\\t";
  } else {
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", byte);
    out += escape;
  }
}

/// UTF-8 as it is, all else as escapes.
std::string printable_text(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const std::string_view good = bytes.substr(0, invalid_utf8(bytes).value_or(bytes.size()));
    for (const char c : good) {
      const auto byte = static_cast<unsigned char>(c);
      byte < 32 || byte == 127 ? append_escaped(out, byte) : out.push_back(c);
    }
    bytes.remove_prefix(good.size());
    if (bytes.empty()) break;
    append_escaped(out, static_cast<unsigned char>(bytes.front()));
    bytes.remove_prefix(1);
  }
  return out;
}

/// Tokenizers that were read, by file and time of its last change.
struct Cache {
  std::mutex mutex;
  std::map<std::pair<std::string, std::int64_t>, Tokenizer> read;
};

Cache& cache() {
  static Cache instance;
  return instance;
}

Result<Vocabulary> read_vocabulary(const std::string& directory, int vocab_size) {
  const fs::path file = fs::path(directory) / "tokenizer.json";
  std::error_code failed;
  const auto changed = fs::last_write_time(file, failed);
  if (failed) return Vocabulary(vocab_size == 256 ? 0 : vocab_size);  // ids alone: bytes are the random models' convention
  const std::pair key(file.string(), std::int64_t(changed.time_since_epoch().count()));
  const std::lock_guard lock(cache().mutex);
  const auto known = cache().read.find(key);
  if (known != cache().read.end()) return Vocabulary(known->second);
  Result<Tokenizer> tokenizer = Tokenizer::open(directory);
  if (!tokenizer) return tokenizer.error();
  return Vocabulary(cache().read.emplace(key, std::move(*tokenizer)).first->second);
}

}  // namespace

Result<std::vector<int>> Vocabulary::encode(std::string_view text, int vocab_size) const {
  std::vector<int> ids;
  if (tokenizer_) {
    Result<std::vector<int>> encoded = tokenizer_->encode(text, true);
    if (!encoded) return encoded;
    ids = std::move(*encoded);
  } else if (bytes_) {
    for (const char c : text) ids.push_back(static_cast<std::uint8_t>(c));
  } else {
    return Error{"this model has no tokenizer.json, so it reads token ids only"};
  }
  for (const int id : ids)
    if (id < 0 || id >= vocab_size)
      return Error{"tokenizer.json gives token " + std::to_string(id) + ", and config.json's vocab_size is " +
                   std::to_string(vocab_size)};
  return ids;
}

std::string Vocabulary::decode(std::span<const int> ids) const {
  if (tokenizer_) return tokenizer_->decode(ids);
  std::string text;
  if (bytes_)
    for (const int id : ids) text.push_back(static_cast<char>(id));
  return text;
}

std::string Vocabulary::display(int id) const {
  if (tokenizer_) {
    const std::string text = printable_text(tokenizer_->piece(id));
    return text.empty() ? "#" + std::to_string(id) : text;
  }
  if (bytes_) return printable_text(std::string(1, static_cast<char>(id)));
  return "#" + std::to_string(id) + " ";
}

Result<Vocabulary> vocabulary_of(const Experiment& experiment) {
  const int size = experiment.spec.vocab_size;
  if (experiment.model.empty() || size == 0) return Vocabulary(size);
  return read_vocabulary(model_directory(experiment.model), size);
}

Result<std::vector<int>> prompt_of(const Experiment& experiment) {
  const Result<Vocabulary> vocabulary = vocabulary_of(experiment);
  if (!vocabulary) return vocabulary.error();
  if (!vocabulary->has_text() || experiment.prompt.empty()) return std::vector<int>{};
  return vocabulary->encode(experiment.prompt, experiment.spec.vocab_size);
}

}  // namespace mla
