#include "core/io/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "core/io/safetensors_header.h"

namespace mla {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::uint64_t length_bytes = 8;                // the header's length, before the header
constexpr std::uint64_t max_header_bytes = 100'000'000;  // as the format's own reader has it

struct Mapping {
  std::shared_ptr<const void> memory;
  std::uint64_t bytes = 0;
};

Error system_error(const std::string& path, const char* what) { return {path + ": " + what + ": " + std::strerror(errno)}; }

Result<Mapping> map_descriptor(const std::string& path, int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return system_error(path, "cannot read");
  if (!S_ISREG(info.st_mode)) return Error{path + ": not a regular file"};
  const auto bytes = static_cast<std::uint64_t>(info.st_size);
  if (bytes < length_bytes) {
    return Error{path + ": holds " + std::to_string(bytes) + " bytes; a safetensors file has at least " +
                 std::to_string(length_bytes)};
  }
  void* const memory = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  if (memory == MAP_FAILED) return system_error(path, "cannot map");
  return Mapping{{memory, [bytes](const void* p) { ::munmap(const_cast<void*>(p), bytes); }}, bytes};
}

Result<Mapping> map_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not make us wait
  if (fd < 0) return system_error(path, "cannot open");
  Result<Mapping> mapping = map_descriptor(path, fd);
  ::close(fd);
  return mapping;
}

/// The header's length, checked against the file and the format's limit.
Result<std::uint64_t> header_length(const std::string& path, const Mapping& mapping) {
  std::uint64_t length = 0;
  std::memcpy(&length, mapping.memory.get(), sizeof length);
  const std::uint64_t most = std::min(mapping.bytes - length_bytes, max_header_bytes);
  if (length <= most) return length;
  return Error{path + ": states a header of " + std::to_string(length) + " bytes; at most " + std::to_string(most) +
               " are possible (is it a safetensors file?)"};
}

}  // namespace

std::int64_t TensorView::elements() const { return static_cast<std::int64_t>(bytes.size()) / bytes_of(dtype); }

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Result<Safetensors> Safetensors::open(const std::string& path) {
  Result<Mapping> mapping = map_file(path);
  if (!mapping) return mapping.error();
  const Result<std::uint64_t> length = header_length(path, *mapping);
  if (!length) return length.error();

  const auto* const start = static_cast<const std::byte*>(mapping->memory.get()) + length_bytes;
  const std::string_view header(reinterpret_cast<const char*>(start), *length);
  Result<std::vector<HeaderEntry>> entries = parse_header(path, header, mapping->bytes - length_bytes - *length);
  if (!entries) return entries.error();

  Safetensors file;
  file.path_ = path;
  file.mapping_ = std::move(mapping->memory);
  for (HeaderEntry& entry : *entries) {
    const std::span bytes(start + *length + entry.begin, entry.end - entry.begin);
    file.tensors_.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape), bytes});
  }
  return file;
}

const TensorView* Safetensors::find(std::string_view name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(), [&](const TensorView& t) { return t.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace mla
