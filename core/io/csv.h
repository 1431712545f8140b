#pragma once

#include <span>
#include <string>
#include <vector>

namespace mla {

/// A table as RFC 4180 has it: a header line, lines ended by CR LF, fields quoted only where a comma, quote or line break
/// needs it. `rows` are as long as `columns`.
std::string to_csv(std::span<const std::string> columns, std::span<const std::vector<std::string>> rows);

/// The shortest text that reads back as the same number ("0.1", "1e+30"), with a dot whatever the locale; empty for NaN.
std::string csv_number(double value);

}  // namespace mla
