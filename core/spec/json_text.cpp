#include "core/spec/json_text.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>
#include <vector>

#include "core/spec/text.h"

namespace mla {
namespace {

using nlohmann::json;

/// Watches the parser and keeps the first thing that it would let pass and we do not.
class Watch {
 public:
  /// Whether the element is worth keeping.
  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      if (depth >= max_json_depth) fault_ = "nested deeper than " + std::to_string(max_json_depth) + " levels";
      if (fault_) return false;
      names_.resize(level + 2);
      names_.back().clear();
    } else if (event == json::parse_event_t::key && !fault_) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!names_[level].insert(name).second) fault_ = "the name \"" + printable(name) + "\" is given twice";
    }
    return !fault_;
  }
  const std::optional<std::string>& fault() const { return fault_; }

 private:
  std::vector<std::unordered_set<std::string>> names_;  // of the open objects, by depth
  std::optional<std::string> fault_;
};

}  // namespace

Result<json> parse_json(std::string_view text, const std::string& source) {
  Watch watch;
  json value;
  try {
    value =
        json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) { return watch(depth, event, parsed); });
  } catch (const json::exception& error) {
    const auto* const parsing = dynamic_cast<const json::parse_error*>(&error);
    if (!watch.fault()) {
      return Error{source + ": not valid JSON" + (parsing ? " at byte " + std::to_string(parsing->byte) : "")};
    }
  }
  if (watch.fault()) return Error{source + ": " + *watch.fault()};
  return value;
}

}  // namespace mla
