#pragma once

#include "core/spec/model_spec.h"

namespace mla::ui {

/// The series colour of a variant, the same in every chart; `mla` is that of MLA, which charts draw in more than one way.
int variantColor(Variant variant, int mla);

}  // namespace mla::ui
