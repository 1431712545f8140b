#include "core/tensor/buffer.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace mla {
namespace {

constexpr std::size_t kLine = 64, kHugePage = std::size_t(2) << 20;

constexpr std::size_t rounded_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

}  // namespace

void* allocate_bytes(std::size_t bytes) {
  const std::size_t unit = bytes < kHugePage ? kLine : kHugePage;
  void* const p = std::aligned_alloc(unit, rounded_up(bytes, unit));
  if (!p) throw std::bad_alloc();
#ifdef __linux__
  // Whole huge pages only: the last part of one would take memory that nobody asked for.
  if (unit == kHugePage) madvise(p, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
#endif
  return p;
}

}  // namespace mla
