// What the worker makes of the window's orders: which run it starts, adopts or refuses.
#include <algorithm>
#include <utility>

#include "ui/session/worker.h"

namespace mla::ui {
namespace {

constexpr std::chrono::seconds kQuiet{2};  // time without new settings before the ceilings are measured

/// Whether a run with the later settings can go on from the tokens of one with the earlier.
bool continues(const Experiment& earlier, const Experiment& later) {
  return earlier.model == later.model && earlier.preset == later.preset && earlier.prompt == later.prompt &&
         earlier.spec.vocab_size == later.spec.vocab_size && earlier.prefill == later.prefill;
}

}  // namespace

void Session::Worker::obey(const Orders& orders) {
  obey_pins(orders);
  if (orders.speed) speed_ = *orders.speed;
  if (orders.speed || orders.play) next_step_ = std::min(next_step_, Clock::now());
  if (orders.play) playing_ = *orders.play;
  single_steps_ += orders.steps;
  if (orders.crossover || orders.change) crossovers_.want(orders.crossover.value_or(false));
  if (orders.request) request_ = *orders.request;
  plan_job(orders);
  unpublished_ = unpublished_ || orders.any;
}

void Session::Worker::obey_pins(const Orders& orders) {
  if (orders.pinned) {
    pins_ = {};
    for (const Experiment& experiment : *orders.pinned) pins_.pin(experiment, std::make_shared<const std::vector<Step>>());
  }
  for (const int pin : orders.pins) {
    if (pin != Orders::kPin) {
      pins_.unpin(pin);
    } else if (run_) {
      pins_.pin(run_->experiment(), run_->shown().steps());
    }
  }
}

void Session::Worker::plan_job(const Orders& orders) {
  const bool unserved = orders.request && run_ && !run_->shown().serve(request_);
  if (orders.change) {
    ticket_ = orders.change->ticket;
    job_ = Job{orders.change->experiment, ticket_, job_ && job_->restart};
  } else if (!job_ && run_ && (orders.restart || unserved || broken_)) {
    job_ = Job{run_->experiment(), ticket_, false};
  }
  if (!job_) return;
  job_->restart = job_->restart || orders.restart;
  if (measure_at_) measure_at_ = Clock::now() + kQuiet;
}

History Session::Worker::history_for(const Job& job) const {
  const bool anew = job.restart || !run_ || !continues(run_->experiment(), job.experiment);
  return anew ? History::of_prompt(job.experiment) : run_->history(job.experiment.context, job.experiment.prefill);
}

/// Null where this program has none of that name.
ComputeBackend* Session::Worker::backend_of(const Experiment& experiment) const {
  for (std::size_t i = 0; i < infos_.size(); ++i)
    if (infos_[i].name == experiment.backend) return backends_[i].get();
  return nullptr;
}

Result<RunPlan> Session::Worker::plan_run() const {
  const Experiment& experiment = job_->experiment;
  if (const Status valid = validate(experiment); !valid) return valid.error();
  const auto named = [&](const BackendInfo& info) { return info.name == experiment.backend; };
  const auto info = std::find_if(infos_.begin(), infos_.end(), named);
  if (info == infos_.end()) return Error{"backend is " + experiment.backend + ": this program has no such backend"};
  if (!info->available) return Error{"backend is " + experiment.backend + ": " + info->detail};
  RunPlan plan;
  plan.experiment = experiment;
  plan.backend = backend_of(experiment);
  plan.backend_info = *info;
  plan.previous = run_ ? run_->weights() : nullptr;
  plan.history = history_for(*job_);
  plan.request = request_;
  plan.run = runs_ + 1;
  return plan;
}

void Session::Worker::start_job() {
  const Clock::time_point since = Clock::now();
  const std::stop_token stop = mailbox.stop_token();
  const Result<RunPlan> plan = plan_run();
  if (!plan) return refuse(plan.error().message);
  auto run = DecodeRun::start(
      *plan, [&](Phase phase, double fraction) { report(phase, fraction, since); }, stop);
  activity_.clear();
  progress_ = -1;
  if (run) return adopt(std::move(*run));
  if (!stop.stop_requested()) refuse(run.error().message);
}

void Session::Worker::adopt(std::unique_ptr<DecodeRun> run) {
  run_ = std::move(run);
  broken_ = false;
  failure_.clear();
  ++runs_;
  outbox.put(Verdict{job_->ticket, run_->experiment(), {}});
  job_.reset();
  const auto known = ceilings_.find(machine_of(run_->experiment()));
  measure_at_.reset();
  if (known != ceilings_.end()) {
    run_->shown().set_ceilings(known->second.best);
  } else {
    measure_at_ = Clock::now() + kQuiet;
  }
  if (playing_ && can_step()) step();  // the first token with the new settings is shown at once
  publish();
}

void Session::Worker::refuse(const std::string& reason) {
  const Job job = *std::exchange(job_, std::nullopt);
  if (job.experiment.backend != "cpu") probe();  // it may be a device that is lost
  const bool own = run_ && job.experiment == run_->experiment();
  if (!run_ || own) {
    failure_ = QString::fromStdString(reason);
  } else if (broken_) {
    job_ = Job{run_->experiment(), job.ticket, false};  // what was stopped for this goes on
  }
  outbox.put(Verdict{job.ticket, run_ ? run_->experiment() : job.experiment, reason});
  unpublished_ = true;
}

}  // namespace mla::ui
