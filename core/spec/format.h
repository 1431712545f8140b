#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mla {

/// Numbers as people read them; the one place where they are formatted. UTF-8, with units; not finite: "–".

/// Binary units: "512 B", "1.50 KiB", "24.0 KiB", "512.3 KiB".
std::string format_bytes(std::int64_t bytes);

/// A time given in milliseconds: "45.2 µs", "0.31 ms", "12.3 ms", "1.25 s".
std::string format_ms(double ms);

/// "1,234".
std::string format_count(std::int64_t count);

/// "3.6x"; say beside it what the baseline is.
std::string format_ratio(double ratio);

/// Decimal prefixes before the unit: format_si(34.8e9, "B/s") is "34.8 GB/s".
std::string format_si(double value, std::string_view unit);

}  // namespace mla
