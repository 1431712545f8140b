#include "ui/session/priority.h"

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#endif

namespace mla::ui {

void give_way([[maybe_unused]] int niceness) {
#ifdef __linux__
  // A batch thread does not interrupt another when it wakes up, and the engine's do so several times a token.
  const sched_param none{};
  sched_setscheduler(0, SCHED_BATCH, &none);
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + niceness);
#endif
}

}  // namespace mla::ui
