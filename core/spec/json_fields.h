#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/spec/result.h"
#include "core/spec/text.h"

namespace mla {

/// Reads the fields of one JSON object. A field that is missing leaves its target as it is; the first that is wrong is kept
/// as the error, and so is one that nobody asked for.
class Fields {
 public:
  /// `where` begins every error: a file, and the way to the object in it.
  Fields(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) error_ = Error{where_ + ": must be a JSON object, is " + shown(object_)};
  }

  void read(const char* key, int& target) {
    const nlohmann::json* value = find(key);
    if (!value) return;
    const bool whole = value->is_number_unsigned()
                           ? value->get<std::uint64_t>() <= kMost
                           : value->is_number_integer() && value->get<std::int64_t>() >= -std::int64_t(kMost);
    if (!whole) return fail(key, *value, "must be a whole number of at most 2147483647");
    target = value->get<int>();
  }
  void read(const char* key, std::uint64_t& target) {
    const nlohmann::json* value = find(key);
    if (!value) return;
    if (!value->is_number_unsigned()) return fail(key, *value, "must be a whole number from 0 to 18446744073709551615");
    target = value->get<std::uint64_t>();
  }
  void read(const char* key, double& target) {
    const nlohmann::json* value = find(key);
    if (!value) return;
    if (!value->is_number()) return fail(key, *value, "must be a number");
    target = value->get<double>();
  }
  void read(const char* key, bool& target) {
    const nlohmann::json* value = find(key);
    if (!value) return;
    if (!value->is_boolean()) return fail(key, *value, "must be true or false");
    target = value->get<bool>();
  }
  void read(const char* key, std::string& target) {
    const nlohmann::json* value = find(key);
    if (!value) return;
    if (!value->is_string()) return fail(key, *value, "must be text");
    target = value->get<std::string>();
  }
  /// A name that `parse` (text → Result<Enum>) knows.
  template <class Enum, class Parse>
  void read_name(const char* key, Enum& target, Parse parse) {
    std::string text;
    read(key, text);
    if (!find(key) || error_) return;
    const auto parsed = parse(text);
    if (!parsed) return fail(key, *find(key), parsed.error().message);
    target = *parsed;
  }
  /// A nested object or list, or null where there is none (or it is null).
  const nlohmann::json* nested(const char* key) {
    const nlohmann::json* value = find(key);
    return value && !value->is_null() ? value : nullptr;
  }
  const std::string& where() const { return where_; }
  void fail(const Status& status) {
    if (!status && !error_) error_ = status.error();
  }
  void fail(const char* key, const nlohmann::json& value, const std::string& rule) {
    if (!error_) error_ = Error{where_ + ": \"" + key + "\" is " + shown(value) + ": " + rule};
  }
  /// Success, or the first error; call it after the last read.
  Status done() const {
    if (error_) return *error_;
    for (const auto& [key, value] : object_.items()) {
      if (!asked_.contains(key)) return Error{where_ + ": unknown field \"" + printable(key) + "\""};
    }
    return {};
  }

 private:
  static constexpr std::uint64_t kMost = std::numeric_limits<int>::max();
  static std::string shown(const nlohmann::json& value) {
    return printable(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  const nlohmann::json* find(const char* key) {
    asked_.insert(key);
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }

  const nlohmann::json& object_;
  std::string where_;
  std::set<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace mla
