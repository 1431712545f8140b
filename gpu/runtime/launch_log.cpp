#include "gpu/runtime/runtime.h"

namespace mla::gpu {
namespace {

thread_local LaunchLog* listening = nullptr;

}  // namespace

LaunchLog::LaunchLog() : outer_(listening) { listening = this; }
LaunchLog::~LaunchLog() { listening = outer_; }

void LaunchLog::note(const char* kernel) {
  if (listening) listening->names_.emplace_back(kernel);
}

}  // namespace mla::gpu
