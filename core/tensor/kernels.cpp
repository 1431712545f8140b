#include "core/tensor/kernels.h"

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
#endif

const std::vector<const Kernels*>& available_kernels() {
  static const std::vector<const Kernels*> found = [] {
    std::vector<const Kernels*> list = {&portable::kernels};
#if defined(__x86_64__)
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (has_avx2) list.push_back(&avx2::kernels);
    if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
      list.push_back(&avx512::kernels);
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
