#include "core/model/config_fields.h"

#include <cmath>

#include "core/spec/text.h"

namespace mla {

using nlohmann::json;

bool ConfigFields::has(std::string_view name) const {
  const auto field = object_.find(std::string(name));
  return field != object_.end() && !field->is_null();
}

const json* ConfigFields::find(std::string_view name, bool required) {
  if (has(name)) return &object_[std::string(name)];
  if (required && status_) status_ = Error{where_ + ": " + std::string(name) + " is missing"};
  return nullptr;
}

void ConfigFields::refuse(std::string_view name, std::string_view rule) {
  if (!status_) return;
  const std::string value =
      has(name) ? printable(object_[std::string(name)].dump(-1, ' ', false, json::error_handler_t::replace)) : "null";
  status_ = Error{where_ + ": " + std::string(name) + " is " + value + "; " + std::string(rule)};
}

int ConfigFields::count(std::string_view name, std::optional<int> fallback, int least) {
  const json* const field = find(name, !fallback);
  if (!field) return fallback.value_or(least);
  if (field->is_number_unsigned() && field->get<std::uint64_t>() <= std::uint64_t(max_count) && field->get<int>() >= least) {
    return field->get<int>();
  }
  refuse(name, "it must be a whole number from " + std::to_string(least) + " to " + std::to_string(max_count));
  return least;
}

double ConfigFields::number(std::string_view name, std::optional<double> fallback, bool zero) {
  const json* const field = find(name, !fallback);
  if (!field) return fallback.value_or(1);
  if (field->is_number()) {
    const double value = *field;
    if (std::isfinite(value) && (value > 0 || (zero && value == 0))) return value;
  }
  refuse(name, zero ? "it must be a number from 0 on" : "it must be a number above 0");
  return 1;
}

bool ConfigFields::flag(std::string_view name, bool fallback) {
  const json* const field = find(name, false);
  if (!field) return fallback;
  if (field->is_boolean()) return *field;
  refuse(name, "it must be true or false");
  return fallback;
}

std::string ConfigFields::text(std::string_view name, std::optional<std::string> fallback) {
  const json* const field = find(name, !fallback);
  if (!field) return fallback.value_or("");
  if (field->is_string()) return *field;
  refuse(name, "it must be a text");
  return "";
}

const json* ConfigFields::object(std::string_view name) {
  const json* const field = find(name, false);
  if (!field || field->is_object()) return field;
  refuse(name, "it must be an object");
  return nullptr;
}

}  // namespace mla
