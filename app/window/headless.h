#pragma once

#include <QApplication>

namespace mla {

/// Qt without a display, for pictures: the offscreen platform, whatever the environment says, at one pixel a unit.
class HeadlessApplication {
 public:
  HeadlessApplication();

 private:
  int argc_ = 1;
  char name_[13] = "mla-explorer";
  char* argv_[2] = {name_, nullptr};
  QApplication application_;
};

}  // namespace mla
