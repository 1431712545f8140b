#include "gpu/engine/stage_timer.h"

namespace mla::gpu {

void StageTimer::prepare_as(const StageTimer& other) {
  while (events_.size() < other.used_) events_.emplace_back();
}

void StageTimer::begin(Stream& stream, bool captured) {
  stream_ = &stream;
  captured_ = captured;
  used_ = 0;
  marks_.clear();
  record();
}

void StageTimer::end(Stage stage) { share(stage, stage, 1); }

void StageTimer::share(Stage first, Stage second, double share) {
  marks_.push_back({first, second, share});
  record();
}

void StageTimer::record() {
  if (used_ == events_.size()) events_.emplace_back();
  const Event& event = events_[used_++];
  captured_ ? stream_->record_in_capture(event) : stream_->record(event);
}

void StageTimer::add_to(StageTimes& times) const {
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    const double ms = milliseconds_between(events_[i], events_[i + 1]);
    times[std::size_t(marks_[i].stage)] += ms * marks_[i].share;
    times[std::size_t(marks_[i].other)] += ms * (1 - marks_[i].share);
  }
}

}  // namespace mla::gpu
