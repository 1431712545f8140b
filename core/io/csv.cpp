#include "core/io/csv.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace mla {
namespace {

void append_field(std::string& out, std::string_view field) {
  if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_line(std::string& out, std::span<const std::string> fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    append_field(out, fields[i]);
  }
  out += "\r\n";
}

}  // namespace

std::string to_csv(std::span<const std::string> columns, std::span<const std::vector<std::string>> rows) {
  std::string out;
  append_line(out, columns);
  for (const auto& row : rows) append_line(out, row);
  return out;
}

std::string csv_number(double value) {
  if (std::isnan(value)) return {};
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

}  // namespace mla
