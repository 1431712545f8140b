#include "core/model/tokenizer_added.h"

#include <algorithm>

#include "core/model/tokenizer_text.h"

namespace mla {
namespace {

std::uint64_t edge(std::uint64_t node, char byte) { return node << 8 | static_cast<unsigned char>(byte); }

std::string_view last_character(std::string_view text) {
  std::size_t begin = text.size();
  while (begin > 0 && (static_cast<unsigned char>(text[--begin]) & 0xc0) == 0x80) {
  }
  return text.substr(begin);
}

}  // namespace

void AddedMatcher::add(const AddedToken& token, std::string_view text) {
  std::uint32_t node = 0;
  for (const char byte : text) {
    const auto fresh = static_cast<std::uint32_t>(entry_of_node_.size());
    const auto [child, made] = children_.emplace(edge(node, byte), fresh);
    if (made) entry_of_node_.push_back(-1);
    node = child->second;
  }
  entry_of_node_[node] = static_cast<int>(entries_.size());
  entries_.push_back({token.id, token.single_word, token.lstrip, token.rstrip});
}

AddedMatcher::Match AddedMatcher::longest(std::string_view text, std::size_t begin) const {
  Match match;
  std::uint32_t node = 0;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const auto child = children_.find(edge(node, text[at]));
    if (child == children_.end()) break;
    node = child->second;
    if (const int entry = entry_of_node_[node]; entry >= 0) match = {at + 1, &entries_[std::size_t(entry)]};
  }
  return match;
}

Result<bool> AddedMatcher::stands_alone(std::string_view text, std::size_t begin, std::size_t end) const {
  Pattern::Search search(*word_);
  std::vector<PatternSpan> spans;
  for (const std::string_view side : {last_character(text.substr(0, begin)), text.substr(end)}) {
    if (side.empty()) continue;
    const Status found = search.spans(side.substr(0, utf8_length(side[0])), spans);
    if (!found) return found.error();
    if (!spans.empty() && spans[0].matched) return false;
  }
  return true;
}

Status AddedMatcher::find(std::string_view text, std::vector<AddedSpan>& out) const {
  out.clear();
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size() && !entries_.empty();) {
    const Match match = longest(text, at);
    if (!match.entry) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = match.end;
    at = end;
    if (match.entry->single_word) {
      const Result<bool> alone = stands_alone(text, begin, end);
      if (!alone) return alone.error();
      if (!*alone) continue;
    }
    if (match.entry->lstrip) begin = std::max(begin - trailing_white_space(text.substr(0, begin)), done);
    if (match.entry->rstrip) end += leading_white_space(text.substr(end));
    if (done < begin) out.push_back({done, begin, std::nullopt});
    out.push_back({begin, end, match.entry->id});
    done = end;
  }
  if (done < text.size()) out.push_back({done, text.size(), std::nullopt});
  return {};
}

}  // namespace mla
