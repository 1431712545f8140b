#include "core/model/tokenizer_bpe.h"

#include <algorithm>
#include <queue>

#include "core/model/tokenizer_text.h"

namespace mla {
namespace {

/// A token within a word; merged ones stay in place and are linked past.
struct Symbol {
  int id = 0;
  int previous = -1;
  int next = -1;
  bool gone = false;
};

struct Candidate {
  std::uint32_t rank = 0;
  int place = 0;  // of the left symbol
  int id = 0;
  bool operator<(const Candidate& other) const {  // the queue gives its largest first
    return std::pair(rank, place) > std::pair(other.rank, other.place);
  }
};

/// One word while its neighbours are merged.
class Merging {
 public:
  Merging(const std::unordered_map<std::uint64_t, BpeMerge>& merges, const std::vector<int>& ids) : merges_(merges) {
    const int count = static_cast<int>(ids.size());
    symbols_.reserve(ids.size());
    for (int i = 0; i < count; ++i) symbols_.push_back({ids[std::size_t(i)], i - 1, i + 1 < count ? i + 1 : -1, false});
    std::vector<Candidate> candidates;
    candidates.reserve(ids.size());
    for (int i = 0; i + 1 < count; ++i) {
      if (const BpeMerge* const found = find(i)) candidates.push_back({found->rank, i, found->id});
    }
    queue_ = std::priority_queue<Candidate>(std::less<Candidate>(), std::move(candidates));
  }

  void run(std::vector<int>& out) {
    while (!queue_.empty()) {
      const Candidate top = queue_.top();
      queue_.pop();
      apply(top);
    }
    for (const Symbol& symbol : symbols_) {
      if (!symbol.gone) out.push_back(symbol.id);
    }
  }

 private:
  Symbol& at(int place) { return symbols_[std::size_t(place)]; }

  /// What the symbol there and the one behind it make.
  const BpeMerge* find(int place) {
    const Symbol& left = at(place);
    if (left.gone || left.next < 0) return nullptr;
    const auto found = merges_.find(BpeModel::pair_of(left.id, at(left.next).id));
    return found == merges_.end() ? nullptr : &found->second;
  }

  void apply(const Candidate& top) {
    const BpeMerge* const now = find(top.place);
    if (!now || now->id != top.id) return;  // its neighbours have changed since
    Symbol& left = at(top.place);
    Symbol& right = at(left.next);
    left.id = top.id;
    left.next = right.next;
    right.gone = true;
    if (right.next >= 0) at(right.next).previous = top.place;
    if (left.previous >= 0) consider(left.previous);
    consider(top.place);
  }

  void consider(int place) {
    if (const BpeMerge* const found = find(place)) queue_.push({found->rank, place, found->id});
  }

  const std::unordered_map<std::uint64_t, BpeMerge>& merges_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace

void BpeModel::encode_word(std::string_view word, std::vector<int>& out) const {
  if (ignore_merges) {
    if (const auto whole = vocabulary.find(word); whole != vocabulary.end()) return out.push_back(whole->second);
  }
  std::vector<int> ids;
  ids.reserve(word.size());
  if (byte_level) {
    start_bytes(word, ids);
  } else {
    start_characters(word, ids);
  }
  if (ids.size() < 2) {
    out.insert(out.end(), ids.begin(), ids.end());
  } else {
    Merging(merges, ids).run(out);
  }
}

void BpeModel::encode_byte(unsigned char byte, std::vector<int>& out) const {
  if (byte_ids[byte] >= 0) {
    out.push_back(byte_ids[byte]);
  } else if (unk) {
    out.push_back(*unk);
  }
}

void BpeModel::start_bytes(std::string_view word, std::vector<int>& ids) const {
  bool unknown = false;
  for (const char byte : word) {
    const int id = byte_ids[static_cast<unsigned char>(byte)];
    if (id >= 0) {
      ids.push_back(id);
    } else if (unk && !(fuse_unk && unknown)) {
      ids.push_back(*unk);
    }
    unknown = id < 0;
  }
}

void BpeModel::start_characters(std::string_view word, std::vector<int>& ids) const {
  int unknown = 0;  // not yet written: they come before the next known character
  const auto write_unknown = [&] {
    if (unk) ids.insert(ids.end(), std::size_t(fuse_unk ? std::min(unknown, 1) : unknown), *unk);
    unknown = 0;
  };
  for (std::size_t at = 0; at < word.size();) {
    const std::string_view character = word.substr(at, utf8_length(word[at]));
    at += character.size();
    if (const auto known = vocabulary.find(character); known != vocabulary.end()) {
      write_unknown();
      ids.push_back(known->second);
    } else if (!byte_fallback || !fall_back(character, ids)) {
      ++unknown;
    }
  }
  write_unknown();
}

bool BpeModel::fall_back(std::string_view character, std::vector<int>& ids) const {
  const auto id_of = [&](char byte) { return byte_ids[static_cast<unsigned char>(byte)]; };
  if (std::any_of(character.begin(), character.end(), [&](char byte) { return id_of(byte) < 0; })) return false;
  std::transform(character.begin(), character.end(), std::back_inserter(ids), id_of);
  return true;
}

}  // namespace mla
