#pragma once

#include <string>
#include <string_view>

#include "core/spec/result.h"

namespace mla {

/// The regular expression of a tokenizer file, written for Oniguruma, as PCRE2 takes it (UTF, UCP, multiline, LF alone ends
/// a line). What the two read differently is rewritten where that is exact, else refused: \h, \v, \b, \X and the like, POSIX
/// and nested classes, &&, a quantifier {n,m} with + behind it, options other than (?i:…), and case-insensitive text that
/// Oniguruma would also find as one letter (ss as ß).
Result<std::string> pcre2_expression(std::string_view oniguruma);

}  // namespace mla
