#if defined(__x86_64__)
#define KERNEL_NAMESPACE avx2
#define KERNEL_NAME "avx2"
#define KERNEL_TITLE "AVX2 + FMA"
#define LANES 8
#define GROUPS 1
#define NT_ROWS 3
#include "core/tensor/kernels.inc"
#endif
