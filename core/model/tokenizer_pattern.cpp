#include "core/model/tokenizer_pattern.h"

#include "core/model/tokenizer_expression.h"
#include "core/model/tokenizer_text.h"
#include "core/spec/text.h"

#ifdef MLA_HAVE_PCRE2
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif

namespace mla {
namespace {

void literal_spans(std::string_view literal, std::string_view text, std::vector<PatternSpan>& out) {
  std::size_t from = 0;
  for (std::size_t at = 0; (at = text.find(literal, from)) != std::string_view::npos; from = at + literal.size()) {
    if (at > from) out.push_back({from, at, false});
    out.push_back({at, at + literal.size(), true});
  }
  if (from < text.size()) out.push_back({from, text.size(), false});
}

}  // namespace

#ifdef MLA_HAVE_PCRE2

namespace {

constexpr std::uint32_t max_steps = 1'000'000;  // of backtracking for one match
constexpr std::size_t max_stack = 1 << 20;      // bytes for compiled code; beyond that the interpreter takes over

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* it) const { Free(it); }
};
template <class T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Freed<T, Free>>;

std::string message_of(int error) {
  std::string text(256, '\0');
  const int length = pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(text.data()), text.size());
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

}  // namespace

struct Pattern::Code {
  Owned<pcre2_code, pcre2_code_free> code;
};

struct Pattern::Search::Scratch {
  explicit Scratch(const pcre2_code* code)
      : match(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(32 * 1024, max_stack, nullptr)) {
    if (!context) return;
    pcre2_set_match_limit(context.get(), max_steps);
    if (stack) pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
  Owned<pcre2_match_data, pcre2_match_data_free> match;
  Owned<pcre2_match_context, pcre2_match_context_free> context;
  Owned<pcre2_jit_stack, pcre2_jit_stack_free> stack;
};

Result<Pattern> Pattern::expression(const std::string& oniguruma) {
  const Result<std::string> translated = pcre2_expression(oniguruma);
  if (!translated) return translated.error();
  const Owned<pcre2_compile_context, pcre2_compile_context_free> context(pcre2_compile_context_create(nullptr));
  if (!context) return Error{"no memory for its expression"};
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE place = 0;
  pcre2_code* const code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated->data()), translated->size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &place, context.get());
  if (!code) return Error{"its expression does not compile: " + message_of(error)};
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where it cannot, matching interprets
  Pattern pattern(oniguruma);
  pattern.code_ = std::make_shared<const Code>(Code{Owned<pcre2_code, pcre2_code_free>(code)});
  return pattern;
}

Pattern::Search::Search(const Pattern& pattern) : pattern_(pattern) {
  if (pattern.code_) scratch_ = std::make_shared<Scratch>(pattern.code_->code.get());
}

Status Pattern::Search::spans(std::string_view text, std::vector<PatternSpan>& out) {
  out.clear();
  if (!scratch_) {
    literal_spans(pattern_.text_, text, out);
    return {};
  }
  if (!scratch_->match || !scratch_->context) return Error{"no memory to match an expression"};
  const auto match = [&](std::size_t from, std::uint32_t options) {
    return pcre2_match(pattern_.code_->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       options | PCRE2_NO_UTF_CHECK, scratch_->match.get(), scratch_->context.get());
  };
  const PCRE2_SIZE* const found = pcre2_get_ovector_pointer(scratch_->match.get());
  std::size_t end = 0;  // of the last match
  bool any = false;
  for (std::size_t from = 0; from <= text.size();) {
    int count = match(from, 0);
    if (count == PCRE2_ERROR_JIT_STACKLIMIT) count = match(from, PCRE2_NO_JIT);
    if (count == PCRE2_ERROR_NOMATCH) break;
    if (count < 0) {
      return Error{"the expression " + printable(pattern_.text_) + " fails at byte " + std::to_string(from) +
                   " of a text: " + message_of(count)};
    }
    if (found[0] == found[1] && any && found[1] == end) {
      from += from < text.size() ? utf8_length(text[from]) : 1;
      continue;
    }
    if (found[0] > end) out.push_back({end, found[0], false});
    out.push_back({found[0], found[1], true});
    from = end = found[1];
    any = true;
  }
  if (end < text.size()) out.push_back({end, text.size(), false});
  return {};
}

#else

struct Pattern::Code {};
struct Pattern::Search::Scratch {};

Result<Pattern> Pattern::expression(const std::string& oniguruma) {
  if (const Result<std::string> translated = pcre2_expression(oniguruma); !translated) return translated.error();
  return Error{"it needs regular expressions, and this program was built without PCRE2"};
}

Pattern::Search::Search(const Pattern& pattern) : pattern_(pattern) {}

Status Pattern::Search::spans(std::string_view text, std::vector<PatternSpan>& out) {
  out.clear();
  literal_spans(pattern_.text_, text, out);
  return {};
}

#endif

}  // namespace mla
