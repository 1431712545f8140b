#include "core/model/tokenizer_steps.h"

#include <algorithm>

namespace mla {
namespace {

using Spans = std::vector<PatternSpan>;

/// Neighbours of one kind become one.
void join_equal(Spans& spans) {
  Spans joined;
  for (const PatternSpan& span : spans) {
    if (!joined.empty() && joined.back().matched == span.matched) {
      joined.back().end = span.end;
    } else {
      joined.push_back(span);
    }
  }
  spans = std::move(joined);
}

/// A match joins what stands before it, unless that is a match itself.
void join_previous(Spans& spans) {
  Spans joined;
  bool after_match = false;
  for (const PatternSpan& span : spans) {
    if (span.matched && !after_match && !joined.empty()) {
      joined.back().end = span.end;
    } else {
      joined.push_back(span);
    }
    after_match = span.matched;
  }
  spans = std::move(joined);
}

/// A match joins what stands behind it, unless that is a match itself.
void join_next(Spans& spans) {
  Spans joined;
  bool before_match = false;
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    if (span->matched && !before_match && !joined.empty()) {
      joined.back().begin = span->begin;
    } else {
      joined.push_back(*span);
    }
    before_match = span->matched;
  }
  std::reverse(joined.begin(), joined.end());
  spans = std::move(joined);
}

void arrange(const SplitStep& step, Spans& spans) {
  if (step.invert) {
    for (PatternSpan& span : spans) span.matched = !span.matched;
  }
  switch (step.behavior) {
    case SplitBehavior::removed:
      std::erase_if(spans, [](const PatternSpan& span) { return span.matched; });
      return;
    case SplitBehavior::isolated:
      return;
    case SplitBehavior::merged_with_previous:
      return join_previous(spans);
    case SplitBehavior::merged_with_next:
      return join_next(spans);
    case SplitBehavior::contiguous:
      return join_equal(spans);
  }
}

/// Cuts one piece along the spans; what is empty is left out.
void cut(const Piece& piece, const Spans& spans, std::vector<Piece>& out) {
  for (const PatternSpan& span : spans) {
    if (span.begin == span.end) continue;
    const bool start = span.begin == 0;
    out.push_back({piece.text.substr(span.begin, span.end - span.begin), piece.first && start, piece.joined && start});
  }
}

/// Runs one step over all pieces.
class Stepper {
 public:
  Stepper(Arena& arena, std::vector<Piece>& pieces) : arena_(arena), pieces_(pieces) {}

  Status operator()(const SplitStep& step) {
    std::vector<Piece> out;
    out.reserve(pieces_.size());
    Pattern::Search search(step.pattern);
    for (const Piece& piece : pieces_) {
      if (Status found = search.spans(piece.text, spans_); !found) return found;
      arrange(step, spans_);
      cut(piece, spans_, out);
    }
    pieces_ = std::move(out);
    return {};
  }

  Status operator()(const MetaspaceStep& step) {
    for (Piece& piece : pieces_) mark(step, piece);
    if (!step.split) return {};
    return (*this)(SplitStep{Pattern::literal(step.mark), SplitBehavior::merged_with_next, false});
  }

  Status operator()(const PrefixSpaceStep&) {
    for (Piece& piece : pieces_) {
      if (piece.joined || piece.text.starts_with(' ')) continue;
      std::string& spaced = arena_.emplace_back(1, ' ');
      spaced += piece.text;
      piece.text = spaced;
    }
    return {};
  }

 private:
  void mark(const MetaspaceStep& step, Piece& piece) {
    std::string text;
    for (const char byte : piece.text) {
      if (byte == ' ') {
        text += step.mark;
      } else {
        text += byte;
      }
    }
    const bool wanted = step.scheme == PrependScheme::always || (step.scheme == PrependScheme::first && piece.first);
    if (wanted && !piece.joined && !text.starts_with(step.mark)) text.insert(0, step.mark);
    piece.text = arena_.emplace_back(std::move(text));
  }

  Arena& arena_;
  std::vector<Piece>& pieces_;
  Spans spans_;
};

Result<std::string> replace(const ReplaceStep& step, const std::string& text) {
  std::vector<PatternSpan> spans;
  if (Status found = Pattern::Search(step.pattern).spans(text, spans); !found) return found.error();
  std::string out;
  for (const PatternSpan& span : spans) {
    if (span.matched) {
      out += step.content;
    } else {
      out.append(text, span.begin, span.end - span.begin);
    }
  }
  return out;
}

}  // namespace

Status pre_tokenize(const std::vector<PreTokenizerStep>& steps, Arena& arena, std::vector<Piece>& pieces) {
  Stepper stepper(arena, pieces);
  for (const PreTokenizerStep& step : steps) {
    if (Status done = std::visit(stepper, step); !done) return done;
  }
  return {};
}

Result<std::string> normalize(const std::vector<NormalizerStep>& steps, std::string text, bool joined) {
  for (const NormalizerStep& step : steps) {
    if (const auto* const prepend = std::get_if<PrependStep>(&step)) {
      if (!text.empty() && !joined) text.insert(0, prepend->text);
    } else {
      Result<std::string> replaced = replace(std::get<ReplaceStep>(step), text);
      if (!replaced) return replaced;
      text = std::move(*replaced);
    }
  }
  return text;
}

}  // namespace mla
