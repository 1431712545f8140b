#pragma once

#include <QTemporaryDir>
#include <memory>
#include <vector>

#include "tests/bench/window/timed_application.h"
#include "ui/window/main_window.h"

class QSlider;

namespace mla::ui {

/// The window over a running engine, and what is measured on it. Prints a line for each measurement.
class WindowBench {
 public:
  explicit WindowBench(TimedApplication& app);

  /// Takes every dock out of its tab, so that all views are in sight, on a full-HD window.
  void open_every_view();
  /// Drags the latent slider back and forth: ms from each move (button still down) to the painted token.
  void drag(const char* name, Experiment experiment, int tokens);
  /// Decodes at full speed from `tokens` on and says how busy the window's thread is and how often it shows something new.
  void decode(const char* name, Experiment experiment, int tokens, int ms);
  /// The same, paused, while the mouse moves the zoomed map 60 times a second.
  void pan(const char* name, int ms);

 private:
  int held() const;
  bool reach(const Experiment& experiment, int tokens);
  void report(const char* name, const char* doing, double ms, int tokens) const;
  // Both sleep while there is nothing to do, as the program does: a loop that polls would take a core from the engine.
  template <class Done>
  bool run_until(Done done, int ms);
  void settle(int ms);

  TimedApplication& app_;
  QTemporaryDir settings_;
  Session session_;
  MainWindow window_;
};

}  // namespace mla::ui
