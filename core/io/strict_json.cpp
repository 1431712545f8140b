#include "core/io/strict_json.h"

#include <optional>
#include <unordered_set>
#include <vector>

#include "core/spec/text.h"

namespace mla {
namespace {

using nlohmann::json;

/// Notes the first thing that we do not let pass; what comes after it is not kept.
class Watch {
 public:
  bool note(int depth, json::parse_event_t event, const json& parsed) {
    const auto level = static_cast<std::size_t>(depth);
    if (event == json::parse_event_t::object_start || event == json::parse_event_t::array_start) {
      if (depth >= max_json_depth && !fault_) fault_ = "is nested deeper than " + std::to_string(max_json_depth) + " levels";
      if (fault_) return false;
      keys_.resize(level + 2);
      keys_.back().clear();
    } else if (event == json::parse_event_t::key && !fault_) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_[level].insert(key).second) fault_ = "names \"" + printable(key) + "\" twice";
    }
    return !fault_;
  }
  const std::optional<std::string>& fault() const { return fault_; }

 private:
  std::vector<std::unordered_set<std::string>> keys_;  // of the open objects, by depth
  std::optional<std::string> fault_;
};

}  // namespace

Result<json> parse_strict_json(const std::string& path, std::string_view text, const std::string& what) {
  Watch watch;
  json value;
  try {
    value = json::parse(
        text, [&](int depth, json::parse_event_t event, const json& parsed) { return watch.note(depth, event, parsed); });
  } catch (const json::parse_error& error) {
    return Error{path + ": " + what + " is not valid JSON at byte " + std::to_string(error.byte) + " of it"};
  } catch (const json::exception&) {  // a number beyond what JSON's parser holds
    return Error{path + ": " + what + " is not valid JSON"};
  }
  if (watch.fault()) return Error{path + ": " + what + " " + *watch.fault()};
  return value;
}

}  // namespace mla
