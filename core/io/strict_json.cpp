#include "core/io/strict_json.h"

#include <optional>
#include <set>
#include <vector>

namespace mla {
namespace {

using nlohmann::json;

/// Notes the first key that repeats within one object.
class KeyWatch {
 public:
  void note(int depth, json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::object_start) {
      keys_.resize(static_cast<std::size_t>(depth) + 2);
      keys_.back().clear();
    } else if (event == json::parse_event_t::key && !keys_[static_cast<std::size_t>(depth)].insert(parsed).second) {
      repeated_ = parsed.dump();
    }
  }
  const std::optional<std::string>& repeated() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> keys_;  // by depth
  std::optional<std::string> repeated_;
};

}  // namespace

Result<json> parse_strict_json(const std::string& path, std::string_view text, const std::string& what) {
  KeyWatch watch;
  json value;
  try {
    value = json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
      watch.note(depth, event, parsed);
      return true;
    });
  } catch (const json::parse_error& error) {
    return Error{path + ": " + what + " is not valid JSON at byte " + std::to_string(error.byte) + " of it"};
  }
  if (watch.repeated()) return Error{path + ": " + what + " names " + *watch.repeated() + " twice"};
  return value;
}

}  // namespace mla
