#pragma once

#include <cstdint>
#include <string_view>

#include "core/spec/result.h"

namespace mla {

/// Whole numbers from low to high, both included.
struct Range {
  std::int64_t low;
  std::int64_t high;
  constexpr bool holds(std::int64_t value) const { return value >= low && value <= high; }
};

/// What each setting may be; the command line, files and sliders share these.
namespace limits {
inline constexpr Range hidden_size{1, 32768};
inline constexpr Range heads{1, 512};
inline constexpr Range nope_dim{0, 1024};
inline constexpr Range rope_dim{0, 1024};
inline constexpr Range head_dim{1, 1024};
inline constexpr Range kv_lora_rank{1, 4096};
inline constexpr Range q_lora_rank{0, 8192};
inline constexpr Range layers{1, 256};
inline constexpr Range context{1, 4194304};
inline constexpr Range batch{1, 1024};
inline constexpr Range threads{0, 1024};
inline constexpr Range top_k{0, 1048576};
inline constexpr Range intermediate_size{1, 262144};
inline constexpr Range experts{1, 65536};
inline constexpr Range vocab_size{0, 1048576};
inline constexpr Range max_positions{1, 16777216};
inline constexpr double temperature = 100;  ///< highest
}  // namespace limits

/// Whether the field's value is in the range; the error names all three.
Status within(std::string_view field, std::int64_t value, Range range);

}  // namespace mla
