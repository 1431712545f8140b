#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/spec/result.h"

namespace mla {

/// The largest count that a config file may state; products of two fit 64 bits, sums 32.
inline constexpr int max_count = 1 << 24;

/// Reads the fields of one JSON object of a config file. The first wrong field is remembered, so that a reader can ask for
/// all fields in a row and check once; what it gets after an error is a default.
class ConfigFields {
 public:
  /// `where` starts every message: the file, and the object within it.
  ConfigFields(std::string where, const nlohmann::json& object) : where_(std::move(where)), object_(object) {}

  /// Whether the field is there; null means absent.
  bool has(std::string_view name) const;
  /// A whole number from `least` to max_count; without a fallback the field must be there.
  int count(std::string_view name, std::optional<int> fallback = {}, int least = 1);
  /// A finite number above 0, or from 0 on where `zero` is allowed.
  double number(std::string_view name, std::optional<double> fallback = {}, bool zero = false);
  bool flag(std::string_view name, bool fallback);
  std::string text(std::string_view name, std::optional<std::string> fallback = {});
  /// The object in that field, null where absent.
  const nlohmann::json* object(std::string_view name);

  /// Refuses the field's value for the given reason.
  void refuse(std::string_view name, std::string_view rule);
  /// The first error so far.
  const Status& status() const { return status_; }

 private:
  const nlohmann::json* find(std::string_view name, bool required);

  std::string where_;
  const nlohmann::json& object_;
  Status status_;
};

}  // namespace mla
