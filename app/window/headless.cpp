#include "app/window/headless.h"

namespace mla {
namespace {

int& without_display(int& argc) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  qunsetenv("QT_SCALE_FACTOR");
  return argc;
}

}  // namespace

HeadlessApplication::HeadlessApplication() : application_(without_display(argc_), argv_) {}

}  // namespace mla
