#define KERNEL_NAMESPACE portable
#define KERNEL_NAME "portable"
#define KERNEL_TITLE "portable"
#define LANES 4
#define GROUPS 1
#define NT_ROWS 2
#include "core/tensor/kernels.inc"
