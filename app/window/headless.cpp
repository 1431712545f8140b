#include "app/window/headless.h"

namespace mla {
namespace {

/// Standard error is for our one line alone: what Qt can't go on with ends the program anyhow, and its hints are no
/// failures.
void keep_silent(QtMsgType, const QMessageLogContext&, const QString&) {}

int& without_display(int& argc) {
  qInstallMessageHandler(keep_silent);
  qputenv("QT_QPA_PLATFORM", "offscreen");
  qunsetenv("QT_SCALE_FACTOR");
  return argc;
}

}  // namespace

HeadlessApplication::HeadlessApplication() : application_(without_display(argc_), argv_) {}

}  // namespace mla
