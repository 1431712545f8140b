#if defined(__x86_64__)
#define KERNEL_NAMESPACE avx512_bf16
#define KERNEL_NAME "avx512bf16"
#define KERNEL_TITLE "AVX-512 + bf16/int8"
#define LANES 16
#define GROUPS 2
#define NT_ROWS 6
#include "core/tensor/kernels.inc"
#endif
