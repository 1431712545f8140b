// How fast the window answers: from a slider's move (button still down) to a painted token with the new dimension, how busy
// its thread is and how often it shows something new while the engine decodes at full speed, and the longest time that
// anything takes on that thread. Needs no display (QT_QPA_PLATFORM=offscreen). Arguments choose among: start drag decode
// heads
#include <algorithm>
#include <cstdio>
#include <string_view>

#include "core/engine/run.h"
#include "core/engine/thread_guard.h"
#include "core/model/model_catalog.h"
#include "core/spec/presets.h"
#include "tests/bench/window/start.h"
#include "tests/bench/window/window_bench.h"

namespace mla {
namespace {

Experiment tutorial() { return experiment_from(*find_preset("tutorial")); }

/// The bundled model at full speed for longer than the 512 tokens it was trained for.
Experiment bundled(int context) {
  Experiment experiment = first_experiment();
  experiment.context = context;
  return experiment;
}

Experiment random_block() {
  Experiment experiment = default_experiment();
  experiment.context = 16384;
  return experiment;
}

/// 128 heads over a small block, so that 4,096 tokens are there within seconds.
Experiment many_heads() {
  Experiment experiment = *apply(default_experiment(), {"heads", "128"});
  experiment.layers = 1;
  experiment.context = 8192;
  return experiment;
}

}  // namespace
}  // namespace mla

int main(int argc, char** argv) {
  using namespace mla;
  if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM") && qEnvironmentVariableIsEmpty("DISPLAY"))
    qputenv("QT_QPA_PLATFORM", "offscreen");
  ui::TimedApplication app(argc, argv);
  const auto wanted = [&](std::string_view part) {
    return argc < 2 || std::any_of(argv + 1, argv + argc, [&](const char* given) { return part == given; });
  };
  std::printf("platform %s\n", qPrintable(QApplication::platformName()));
  if (wanted("start")) measure_start(9);
  ui::WindowBench bench(app);
  if (wanted("drag")) {
    bench.drag("bundled model", first_experiment(), 190);
    bench.drag("random block d=512", default_experiment(), 190);
    bench.drag("tutorial d=4096", tutorial(), 190);
  }
  if (wanted("decode")) bench.decode("random block d=512", random_block(), 1000, 3000);
  bench.open_every_view();
  if (wanted("decode")) {
    bench.decode("bundled model, all views", bundled(512), 100, 2000);
    bench.decode("bundled model, all views", bundled(16384), 1000, 3000);
    bench.decode("random block, all views", random_block(), 1000, 3000);
  }
  if (wanted("heads")) {
    bench.decode("128 heads, all views", many_heads(), 4096, 3000);
    bench.pan("128 heads, all views", 2000);
  }
  std::printf("engine calls on the window's thread: %d\n", engine_calls_on_forbidden_thread());
  return 0;
}
