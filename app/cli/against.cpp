#include "app/cli/against.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "core/model/model_catalog.h"
#include "core/spec/text.h"

namespace mla {
namespace {

Result<std::vector<Setting>> settings_of(std::string_view text) {
  std::vector<Setting> settings;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view item = text.substr(begin, end - begin);
    const std::size_t equals = item.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      return Error{printable(item) + ": must be a saved experiment (.mla.json) or name=value, several after commas"};
    settings.push_back({std::string(item.substr(0, equals)), std::string(item.substr(equals + 1))});
    begin = end + 1;
  }
  return settings;
}

Result<Experiment> saved(const std::string& path) {
  Result<SavedExperiment> saved = read_saved_experiment(path);
  if (!saved) return saved.error();
  return std::move(saved->experiment);
}

Result<Experiment> changed(const std::string& text, const Experiment& base) {
  const Result<std::vector<Setting>> settings = settings_of(text);
  if (!settings) return settings.error();
  return apply_all(base, *settings);
}

}  // namespace

Result<Experiment> parse_against(const std::string& text, const Experiment& base) {
  const Result<Experiment> other = text.ends_with(".json") ? saved(text) : changed(text, base);
  if (!other) return Error{"--against " + other.error().message};
  if (const Status valid = validate(*other); !valid) return Error{"--against " + valid.error().message};
  return *other;
}

}  // namespace mla
