#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ui/session/crossover_runs.h"
#include "ui/session/decode_run.h"
#include "ui/session/mailbox.h"
#include "ui/session/outbox.h"
#include "ui/session/pins.h"
#include "ui/session/session.h"
#include "ui/session/throttle.h"

namespace mla::ui {

/// Stops what measures beside the worker, and lets it go on. Called on the worker's thread.
struct Quiet {
  std::function<void(const std::stop_token& stop)> hold;
  std::function<void()> release;
};

/// The thread on which every engine call happens. Orders come in through the mailbox, snapshots leave through the outbox.
class Session::Worker {
 public:
  /// `wake` is called on the worker's thread when the outbox stops being empty.
  Worker(std::vector<std::unique_ptr<ComputeBackend>> backends, std::function<void()> wake, Quiet quiet);
  ~Worker();  ///< stops what runs and joins

  Mailbox mailbox;
  Outbox outbox;

 private:
  /// A run to be started; kept until it stands or is refused, so that a stopped start is tried again.
  struct Job {
    Experiment experiment;
    quint64 ticket = 0;
    bool restart = false;  ///< from the prompt, not from the history
  };

  /// What has ceilings of its own: a backend with so many threads.
  using Machine = std::pair<std::string, int>;
  static Machine machine_of(const Experiment& experiment) { return {experiment.backend, experiment.threads}; }

  void loop();
  void probe();
  std::optional<Clock::time_point> deadline() const;
  void obey(const Orders& orders);
  void obey_pins(const Orders& orders);
  void plan_job(const Orders& orders);

  void start_job();
  void adopt(std::unique_ptr<DecodeRun> run);
  void refuse(const std::string& reason);
  Result<RunPlan> plan_run() const;
  History history_for(const Job& job) const;

  bool step_due(Clock::time_point now) const;
  bool can_step() const { return run_ && !job_ && failure_.isEmpty() && run_->can_step(); }
  void step();
  void fail(const std::string& message);
  void doubt_ceilings();
  void measure_ceilings_if_due();
  void learn(const Machine& machine, const Ceilings& ceilings);
  ComputeBackend* backend_of(const Experiment& experiment) const;
  bool crossover_due() const { return crossovers_.wanted() && run_ && !job_ && !broken_ && failure_.isEmpty(); }
  void measure_crossover_if_due();

  Snapshot::State state() const;
  void publish();
  void report(Phase phase, double fraction, Clock::time_point since);

  std::vector<std::unique_ptr<ComputeBackend>> backends_;
  std::vector<BackendInfo> infos_;
  std::unique_ptr<DecodeRun> run_;
  bool broken_ = false;  // a stopped step left the run unusable, but its history is good
  std::optional<Job> job_;
  quint64 runs_ = 0;
  quint64 ticket_ = 0;  // of the change asked for last

  bool playing_ = false;
  int single_steps_ = 0;
  double speed_ = 20;
  Clock::time_point next_step_{};
  AttentionRequest request_;
  Pins pins_;
  struct Measured {
    Ceilings best;
    int times = 0;
  };
  std::map<Machine, Measured> ceilings_;
  std::optional<Clock::time_point> measure_at_;
  CrossoverRuns crossovers_;
  const Quiet quiet_;

  Throttle throttle_{kFrame};
  bool unpublished_ = false;
  QString activity_;
  double progress_ = -1;
  QString failure_;

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace mla::ui
