#include "gpu/ops/sample.h"

#include "gpu/kernels/sample.cuh"

namespace mla::gpu {

void choose_tokens(Stream& stream, const TokenChoice& choice) {
  launch<ChooseToken>(stream, {choice.batch}, choice, ChooseToken::kShared);
}

}  // namespace mla::gpu
