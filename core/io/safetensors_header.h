#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/safetensors.h"
#include "core/spec/result.h"

namespace mla {

/// A tensor as a header describes it; `begin` and `end` count bytes from the end of the header.
struct HeaderEntry {
  std::string name;
  TensorDtype dtype = TensorDtype::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Bytes of one element.
int bytes_of(TensorDtype dtype);

/// The entries of a header's JSON, ordered by place, each checked against its dtype and shape; together they fill exactly
/// `data_bytes`. Errors start with `path`.
Result<std::vector<HeaderEntry>> parse_header(const std::string& path, std::string_view json, std::uint64_t data_bytes);

}  // namespace mla
