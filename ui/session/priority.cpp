#include "ui/session/priority.h"

#ifdef __linux__
#include <sys/resource.h>
#endif

namespace mla::ui {

void give_way([[maybe_unused]] int niceness) {
#ifdef __linux__
  setpriority(PRIO_PROCESS, 0, niceness);
#endif
}

}  // namespace mla::ui
