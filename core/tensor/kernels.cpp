#include "core/tensor/kernels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace mla {

namespace portable {
extern const Kernels kernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels kernels;
}
namespace avx512 {
extern const Kernels kernels;
}
namespace avx512_bf16 {
extern const Kernels kernels;
}
#endif

#if defined(__x86_64__)
namespace {

/// Clang 14 does not know the name in __builtin_cpu_supports.
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

}  // namespace
#endif

const std::vector<const Kernels*>& available_kernels() {
  static const std::vector<const Kernels*> found = [] {
    std::vector<const Kernels*> list = {&portable::kernels};
#if defined(__x86_64__)
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    if (has_avx2) list.push_back(&avx2::kernels);
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (has_avx512) list.push_back(&avx512::kernels);
    if (has_avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni"))
      list.push_back(&avx512_bf16::kernels);
#endif
    return list;
  }();
  return found;
}

Result<const Kernels*> find_kernels(std::string_view name) {
  const auto& list = available_kernels();
  if (name.empty()) return list.back();
  std::string known;
  for (const Kernels* kernels : list) {
    if (name == kernels->name) return kernels;
    known += (known.empty() ? "" : ", ") + std::string(kernels->name);
  }
  return Error{"isa " + std::string(name) + ": this processor has " + known};
}

}  // namespace mla
