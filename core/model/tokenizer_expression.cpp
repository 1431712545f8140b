#include "core/model/tokenizer_expression.h"

#include <array>
#include <optional>
#include <vector>

#include "core/model/tokenizer_text.h"

namespace mla {
namespace {

constexpr std::string_view word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
constexpr std::array<std::string_view, 7> groups{"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:"};
constexpr std::array<std::string_view, 5> one_letter{"ss", "st", "ff", "fi", "fl"};  // ß, ﬆ, ﬀ, ﬁ, ﬂ

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

class Translator {
 public:
  explicit Translator(std::string_view source) : source_(source) {}

  Result<std::string> run() {
    while (at_ < source_.size() && !fault_) {
      if (in_class_) {
        class_member();
      } else {
        element();
      }
    }
    if (fault_) return Error{*fault_};
    return out_;
  }

 private:
  char here() const { return source_[at_]; }
  std::string_view rest() const { return source_.substr(at_); }
  bool next_is(std::string_view text) const { return rest().starts_with(text); }
  void copy(std::size_t bytes) {
    out_ += rest().substr(0, bytes);
    at_ += bytes;
  }
  void refuse(std::string_view what) {
    if (!fault_) fault_ = "its expression has " + std::string(what) + " at byte " + std::to_string(at_);
  }

  void element() {
    switch (here()) {
      case '\\':
        return escape();
      case '(':
        return open_group();
      case ')':
        if (!caseless_.empty()) caseless_.pop_back();
        return copy(1);
      case '[':
        return open_class();
      case '{':
        return interval();
      default:
        return character();
    }
  }

  void character() {
    if (caseless()) {
      if (static_cast<unsigned char>(here()) >= 0x80) return refuse("case-insensitive text beyond ASCII");
      for (const std::string_view pair : one_letter) {
        if (rest().size() > 1 && lower(here()) == pair[0] && lower(rest()[1]) == pair[1]) {
          return refuse("case-insensitive text that may also match a single letter");
        }
      }
    }
    copy(1);
  }

  bool caseless() const { return !caseless_.empty() && caseless_.back(); }

  void open_group() {
    if (next_is("(*")) return refuse("a verb (*");
    if (!next_is("(?")) {
      caseless_.push_back(caseless());
      return copy(1);
    }
    for (const std::string_view group : groups) {
      if (!next_is(group)) continue;
      caseless_.push_back(caseless() || group == "(?i:");
      return copy(group.size());
    }
    refuse("a group or option other than (?: (?= (?! (?<= (?<! (?> (?i:");
  }

  void open_class() {
    in_class_ = true;
    copy(next_is("[^") ? 2 : 1);
    if (at_ < source_.size() && here() == ']') refuse("an empty class");
  }

  void class_member() {
    if (here() == '\\') return escape();
    if (here() == '[') return refuse("a class within a class");
    if (next_is("&&")) return refuse("an intersection of classes (&&)");
    if (here() == ']') in_class_ = false;
    if (caseless() && static_cast<unsigned char>(here()) >= 0x80) return refuse("a case-insensitive class beyond ASCII");
    copy(1);
  }

  /// {n}, {n,} or {n,m}; anything else is text.
  void interval() {
    std::size_t end = at_ + 1;
    const auto digits = [&] {
      const std::size_t begin = end;
      while (end < source_.size() && is_digit(source_[end])) ++end;
      return end - begin;
    };
    const bool least = digits() > 0;
    const bool comma = end < source_.size() && source_[end] == ',';
    if (comma) ++end;
    const bool most = comma && digits() > 0;
    if (end >= source_.size() || source_[end] != '}' || (!least && !most)) {
      out_ += '\\';
      return copy(1);
    }
    if (!least) return refuse("an interval {,n}");
    const char after = end + 1 < source_.size() ? source_[end + 1] : ' ';
    if (after == '+' || after == '*') return refuse("a quantifier behind an interval");
    if (after == '?' && !comma) return refuse("a quantifier behind an interval");
    copy(end + 1 - at_);
  }

  void escape() {
    if (at_ + 1 >= source_.size()) return refuse("a \\ with nothing behind it");
    const char kind = source_[at_ + 1];
    switch (kind) {
      case 's':
        return replace(2, "\\p{White_Space}");
      case 'S':
        return replace(2, "\\P{White_Space}");
      case 'd':
        return replace(2, "\\p{Nd}");
      case 'D':
        return replace(2, "\\P{Nd}");
      case 'w':
        return replace(2, in_class_ ? std::string(word) : "[" + std::string(word) + "]");
      case 'W':
        return in_class_ ? refuse("\\W in a class") : replace(2, "[^" + std::string(word) + "]");
      case 'p':
      case 'P':
        return property();
      case 'x':
      case 'u':
        return code_point();
      case 'r':
      case 'n':
      case 't':
      case 'f':
      case 'a':
      case 'e':
        return copy(2);
      case 'A':
      case 'z':
        return in_class_ ? refuse("an anchor in a class") : copy(2);
      default:
        break;
    }
    if (is_letter(kind) || is_digit(kind)) return refuse(std::string("the escape \\") + kind);
    copy(1 + (static_cast<unsigned char>(kind) < 0x80 ? 1 : 0));
  }

  void replace(std::size_t bytes, std::string_view text) {
    out_ += text;
    at_ += bytes;
  }

  /// General categories are named alike; of other names PCRE2 takes scripts and binary properties, scripts in the older
  /// sense (without extensions) by the prefix sc:.
  void property() {
    const std::size_t end = source_.find('}', at_);
    if (!next_is(source_.substr(at_, 2)) || at_ + 2 >= source_.size() || source_[at_ + 2] != '{' ||
        end == std::string_view::npos) {
      return refuse("a property without braces");
    }
    std::string_view name = source_.substr(at_ + 3, end - at_ - 3);
    bool negated = source_[at_ + 1] == 'P';
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    for (const char c : name) {
      if (!is_letter(c) && c != '_') return refuse("a property of an unknown name");
    }
    if (name.empty()) return refuse("a property without a name");
    replace(end + 1 - at_,
            std::string(negated ? "\\P{" : "\\p{") + (name.size() > 2 ? "sc:" : "") + std::string(name) + "}");
  }

  /// \xHH below 80, \x{H…} and \uHHHH.
  void code_point() {
    const bool braced = next_is("\\x{");
    const std::size_t begin = at_ + (braced ? 3 : 2);
    const std::size_t most = braced ? 6 : here() == '\\' && source_[at_ + 1] == 'u' ? 4 : 2;
    std::size_t end = begin;
    while (end < source_.size() && end - begin < most &&
           std::string_view("0123456789abcdefABCDEF").find(source_[end]) != std::string_view::npos) {
      ++end;
    }
    const std::string digits(source_.substr(begin, end - begin));
    if (digits.empty() || (!braced && digits.size() != most)) return refuse("an incomplete code point");
    if (braced && (end >= source_.size() || source_[end] != '}')) return refuse("an incomplete code point");
    if (most == 2 && digits[0] >= '8') return refuse("a byte above 7f");
    if (caseless()) return refuse("a case-insensitive code point");
    replace(end + (braced ? 1 : 0) - at_, "\\x{" + digits + "}");
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::string out_;
  bool in_class_ = false;
  std::vector<bool> caseless_;  // of the open groups
  std::optional<std::string> fault_;
};

}  // namespace

Result<std::string> pcre2_expression(std::string_view oniguruma) { return Translator(oniguruma).run(); }

}  // namespace mla
