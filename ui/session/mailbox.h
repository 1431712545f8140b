#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/spec/experiment.h"
#include "ui/session/session.h"
#include "ui/session/throttle.h"

namespace mla::ui {

/// What the window asks of the worker. Of each kind only the newest counts: a drag's dozens of changes collapse into one.
struct Orders {
  struct Change {
    Experiment experiment;
    quint64 ticket = 0;  ///< grows with every change asked for
  };
  std::optional<Change> change;
  std::optional<bool> play;
  std::optional<double> speed;  ///< tokens per second, 0: no limit
  std::optional<AttentionRequest> request;
  std::optional<bool> crossover;                  ///< true: measure it; false: no longer
  int steps = 0;                                  ///< single steps asked for
  bool restart = false;                           ///< from the prompt
  std::optional<std::vector<Experiment>> pinned;  ///< take the place of all pinned runs, before `pins`
  std::vector<int> pins;  ///< in order: index of a pinned run to let go, or kPin to keep the present one
  bool quit = false;
  bool any = false;  ///< whether anything was asked at all
  static constexpr int kPin = -1;
};

/// Carries orders from the window's thread to the worker's, and stops the work that they make pointless.
class Mailbox {
 public:
  /// Calls `write(orders)` under the lock and wakes the worker. `cancel`: what the worker is doing is no longer wanted.
  template <class Write>
  void post(const Write& write, bool cancel) {
    {
      const std::lock_guard lock(mutex_);
      write(orders_);
      orders_.any = true;
      if (cancel) stop_.request_stop();
    }
    wake_.notify_one();
  }

  /// The orders since the last call. Waits for some until `deadline`, or for ever without one.
  Orders take(std::optional<Clock::time_point> deadline);
  /// Of the work between the last take() and the next.
  std::stop_token stop_token() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Orders orders_;
  std::stop_source stop_;
};

}  // namespace mla::ui
