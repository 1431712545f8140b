#pragma once

#include <vector>

#include "core/engine/trace.h"
#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// Books the device's time between events to stages. Keeps its events from pass to pass; in a captured graph they are
/// recorded anew by every replay.
class StageTimer {
 public:
  /// Makes as many events as the other has used: none may be made while a graph is captured.
  void prepare_as(const StageTimer& other);
  /// Begins a pass; `captured`: what follows is recorded into a graph.
  void begin(Stream& stream, bool captured);
  /// What was launched since the last call is of that stage.
  void end(Stage stage);
  /// Of two stages that one kernel does together: `share` of the time is the first's.
  void share(Stage first, Stage second, double share);
  /// After the stream has come to the end.
  void add_to(StageTimes& times) const;

 private:
  struct Mark {
    Stage stage, other;
    double share;
  };
  void record();

  Stream* stream_ = nullptr;
  bool captured_ = false;
  std::vector<Event> events_;
  std::size_t used_ = 0;
  std::vector<Mark> marks_;
};

}  // namespace mla::gpu
