#include "core/engine/thread_guard.h"

#include <atomic>

namespace mla {
namespace {
thread_local bool forbidden = false;
std::atomic<int> calls{0};
}  // namespace

void forbid_engine_on_this_thread() { forbidden = true; }

int engine_calls_on_forbidden_thread() { return calls.load(); }

void note_engine_call() {
  if (forbidden) calls.fetch_add(1);
}

}  // namespace mla
