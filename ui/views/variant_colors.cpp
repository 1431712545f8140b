#include "ui/views/variant_colors.h"

namespace mla::ui {

int variantColor(Variant variant, int mla) {
  switch (variant) {
    case Variant::mha:
      return 1;
    case Variant::gqa:
      return 4;
    case Variant::mqa:
      return 2;
    case Variant::mla:
      break;
  }
  return mla;
}

}  // namespace mla::ui
