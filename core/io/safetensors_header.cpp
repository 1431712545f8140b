#include "core/io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/io/strict_json.h"

namespace mla {
namespace {

using nlohmann::json;

struct DtypeInfo {
  TensorDtype dtype;
  std::string_view name;
  int bytes;
};

constexpr std::array dtypes{
    DtypeInfo{TensorDtype::boolean, "BOOL", 1},    DtypeInfo{TensorDtype::u8, "U8", 1},
    DtypeInfo{TensorDtype::i8, "I8", 1},           DtypeInfo{TensorDtype::f8_e5m2, "F8_E5M2", 1},
    DtypeInfo{TensorDtype::f8_e4m3, "F8_E4M3", 1}, DtypeInfo{TensorDtype::i16, "I16", 2},
    DtypeInfo{TensorDtype::u16, "U16", 2},         DtypeInfo{TensorDtype::f16, "F16", 2},
    DtypeInfo{TensorDtype::bf16, "BF16", 2},       DtypeInfo{TensorDtype::i32, "I32", 4},
    DtypeInfo{TensorDtype::u32, "U32", 4},         DtypeInfo{TensorDtype::f32, "F32", 4},
    DtypeInfo{TensorDtype::i64, "I64", 8},         DtypeInfo{TensorDtype::u64, "U64", 8},
    DtypeInfo{TensorDtype::f64, "F64", 8},
};

const DtypeInfo& info_of(TensorDtype dtype) {
  return *std::find_if(dtypes.begin(), dtypes.end(), [&](const DtypeInfo& i) { return i.dtype == dtype; });
}

/// Reads one tensor's description; every message starts with the file and the tensor.
class EntryReader {
 public:
  EntryReader(const std::string& path, const std::string& name, const json& value)
      : where_(path + ": tensor " + json(name).dump()), value_(value) {
    entry_.name = name;
  }

  Result<HeaderEntry> read(std::uint64_t data_bytes) {
    if (!value_.is_object() || value_.size() != 3 || !value_.contains("dtype") || !value_.contains("shape") ||
        !value_.contains("data_offsets")) {
      return fail("must have dtype, shape and data_offsets and nothing else");
    }
    if (Status status = read_dtype(); !status) return status.error();
    if (Status status = read_shape(); !status) return status.error();
    if (Status status = read_offsets(data_bytes); !status) return status.error();
    return entry_;
  }

 private:
  Error fail(const std::string& rule) const { return {where_ + " " + rule}; }

  Status read_dtype() {
    const json& dtype = value_["dtype"];
    const auto known = std::find_if(dtypes.begin(), dtypes.end(), [&](const DtypeInfo& i) { return dtype == i.name; });
    if (known == dtypes.end()) return fail("has the unknown dtype " + dtype.dump());
    entry_.dtype = known->dtype;
    size_ = static_cast<std::uint64_t>(known->bytes);
    return {};
  }

  Status read_shape() {
    const json& shape = value_["shape"];
    if (!shape.is_array()) return fail("has the shape " + shape.dump() + ": not a list");
    for (const json& extent : shape) {
      if (!extent.is_number_unsigned()) return fail("has the shape " + shape.dump() + ": not all counts");
      const auto count = extent.get<std::uint64_t>();
      if (count > std::uint64_t(std::numeric_limits<std::int64_t>::max()) || __builtin_mul_overflow(size_, count, &size_)) {
        return fail("has the shape " + shape.dump() + ": its size overflows 64 bits");
      }
      entry_.shape.push_back(static_cast<std::int64_t>(count));
    }
    return {};
  }

  Status read_offsets(std::uint64_t data_bytes) {
    const json& offsets = value_["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
      return fail("has data_offsets " + offsets.dump() + ": not two counts");
    }
    entry_.begin = offsets[0];
    entry_.end = offsets[1];
    if (entry_.begin > entry_.end) return fail("has data_offsets " + offsets.dump() + ": it ends before it begins");
    if (entry_.end > data_bytes) {
      return fail("has data_offsets " + offsets.dump() + ": beyond the file's " + std::to_string(data_bytes) +
                  " bytes of data");
    }
    if (entry_.end - entry_.begin != size_) {
      return fail("has data_offsets " + offsets.dump() + ", but its dtype and shape take " + std::to_string(size_) +
                  " bytes");
    }
    return {};
  }

  std::string where_;
  const json& value_;
  HeaderEntry entry_;
  std::uint64_t size_ = 0;
};

Status check_filled(const std::string& path, const std::vector<HeaderEntry>& entries, std::uint64_t data_bytes) {
  std::uint64_t filled = 0;
  for (const HeaderEntry& entry : entries) {
    if (entry.begin != filled) {
      return Error{
          path + ": tensor " + json(entry.name).dump() + " begins at byte " + std::to_string(entry.begin) +
          (entry.begin < filled ? ", inside the tensor before it, which ends at " : ", but the bytes before it end at ") +
          std::to_string(filled)};
    }
    filled = entry.end;
  }
  if (filled == data_bytes) return {};
  return Error{path + ": the tensors take " + std::to_string(filled) + " bytes, but the file holds " +
               std::to_string(data_bytes) + " bytes of data"};
}

}  // namespace

std::string_view name_of(TensorDtype dtype) { return info_of(dtype).name; }

int bytes_of(TensorDtype dtype) { return info_of(dtype).bytes; }

Result<std::vector<HeaderEntry>> parse_header(const std::string& path, std::string_view text, std::uint64_t data_bytes) {
  const Result<json> header = parse_strict_json(path, text, "the header");
  if (!header) return header.error();
  if (!header->is_object()) return Error{path + ": the header is not a JSON object"};
  std::vector<HeaderEntry> entries;
  for (const auto& [name, value] : header->items()) {
    if (name == "__metadata__") continue;
    Result<HeaderEntry> entry = EntryReader(path, name, value).read(data_bytes);
    if (!entry) return entry.error();
    entries.push_back(std::move(*entry));
  }
  std::sort(entries.begin(), entries.end(), [](const HeaderEntry& a, const HeaderEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  if (Status status = check_filled(path, entries, data_bytes); !status) return status.error();
  return entries;
}

}  // namespace mla
