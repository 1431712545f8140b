#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// What became of a change: the experiment that runs now, and why it isn't the one asked for.
struct Verdict {
  quint64 ticket = 0;
  Experiment experiment;
  std::string refusal;  ///< empty: it runs
};

/// Carries the newest snapshot and all verdicts from the worker's thread to the window's.
class Outbox {
 public:
  struct Contents {
    SnapshotPtr snapshot;  ///< null: none since the last take()
    std::vector<Verdict> verdicts;
  };

  /// `wake` is called on the worker's thread when the box stops being empty.
  explicit Outbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  void put(SnapshotPtr snapshot) {
    put([&](Contents& contents) { contents.snapshot = std::move(snapshot); });
  }
  void put(Verdict verdict) {
    put([&](Contents& contents) { contents.verdicts.push_back(std::move(verdict)); });
  }
  Contents take() {
    const std::lock_guard lock(mutex_);
    filled_ = false;
    return std::exchange(contents_, {});
  }

 private:
  template <class Write>
  void put(const Write& write) {
    bool first;
    {
      const std::lock_guard lock(mutex_);
      write(contents_);
      first = !std::exchange(filled_, true);
    }
    if (first) wake_();
  }

  std::function<void()> wake_;
  std::mutex mutex_;
  Contents contents_;
  bool filled_ = false;
};

}  // namespace mla::ui
