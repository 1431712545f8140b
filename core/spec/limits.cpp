#include "core/spec/limits.h"

#include <string>

namespace mla {

Status within(std::string_view field, std::int64_t value, Range range) {
  if (range.holds(value)) return {};
  return Error{std::string(field) + " is " + std::to_string(value) + ": must be from " + std::to_string(range.low) + " to " +
               std::to_string(range.high)};
}

}  // namespace mla
