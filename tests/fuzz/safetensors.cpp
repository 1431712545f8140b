// A safetensors header, and the bytes behind it that it claims.

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/io/safetensors_header.h"

using namespace mla;

/// The input is a whole file: eight bytes of length, the header, data.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint64_t length = 0;
  if (size < sizeof length) return 0;
  std::memcpy(&length, data, sizeof length);
  const std::uint64_t rest = size - sizeof length;
  if (length > rest) length = rest;
  const std::string_view header(reinterpret_cast<const char*>(data) + sizeof length, length);
  const Result<std::vector<HeaderEntry>> entries = parse_header("file", header, rest - length);
  if (!entries) {
    if (entries.error().message.rfind("file: ", 0) != 0) std::abort();
    return 0;
  }
  std::uint64_t end = 0;
  for (const HeaderEntry& entry : *entries) {
    if (entry.begin != end || entry.end < entry.begin) std::abort();  // a gap or an overlap
    std::uint64_t bytes = static_cast<std::uint64_t>(bytes_of(entry.dtype));
    for (const std::int64_t extent : entry.shape) bytes *= static_cast<std::uint64_t>(extent);
    if (bytes != entry.end - entry.begin) std::abort();
    end = entry.end;
  }
  if (end != rest - length) std::abort();
  return 0;
}
