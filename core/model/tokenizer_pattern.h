#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/result.h"

namespace mla {

/// Bytes [begin, end) of a text, and whether the pattern matched there.
struct PatternSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool matched = false;
};

/// What a step of a tokenizer looks for: plain text, or a regular expression run by PCRE2. Copies share the compiled code.
class Pattern {
 public:
  static Pattern literal(std::string text) { return Pattern(std::move(text)); }
  /// Compiles an expression written for Oniguruma; refused where it does not compile, where PCRE2 would read it differently
  /// (see pcre2_expression), and in a build without PCRE2.
  static Result<Pattern> expression(const std::string& oniguruma);

  /// Matches of one pattern in many texts, on one thread.
  class Search {
   public:
    explicit Search(const Pattern& pattern);
    /// Matches and what lies between them, left to right, together all of the text (UTF-8). An empty match is kept unless it
    /// touches the match before it. Fails where the expression takes too many steps.
    Status spans(std::string_view text, std::vector<PatternSpan>& out);

   private:
    struct Scratch;
    const Pattern& pattern_;
    std::shared_ptr<Scratch> scratch_;
  };

 private:
  struct Code;
  explicit Pattern(std::string literal) : text_(std::move(literal)) {}

  std::string text_;  // the literal, or the expression as its file has it
  std::shared_ptr<const Code> code_;
};

}  // namespace mla
