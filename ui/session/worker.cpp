#include "ui/session/worker.h"

#include <algorithm>
#include <utility>

#include "core/spec/format.h"
#include "ui/session/priority.h"

namespace mla::ui {
namespace {

/// What is going on while a run starts.
QString activity_of(Phase phase, const Experiment& experiment) {
  if (phase == Phase::prefill) return Session::tr("reading the tokens so far again");
  if (phase == Phase::conversion) return Session::tr("converting the weights to fp32");
  if (experiment.model.empty())
    return Session::tr("making %1 of weights").arg(QString::fromStdString(format_bytes(weight_bytes(experiment))));
  return lens_rank(experiment.spec.attention) > 0 ? Session::tr("decomposing the weights for the rank lens")
                                                  : Session::tr("opening the model");
}

constexpr std::chrono::milliseconds kSilentStart{150};  // a start that takes no longer is not announced

constexpr int kEngineNiceness = 4;  // little: other programs on a busy machine must not starve the decode

constexpr int kMostMeasurements = 4;  // of the ceilings, where the run beats them again and again

Clock::duration pace(double tokens_per_second) {
  if (tokens_per_second <= 0) return {};
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / tokens_per_second));
}

}  // namespace

Session::Worker::Worker(std::vector<std::unique_ptr<ComputeBackend>> backends, std::function<void()> wake, Quiet quiet)
    : outbox(std::move(wake)), backends_(std::move(backends)), quiet_(std::move(quiet)), thread_([this] { loop(); }) {}

Session::Worker::~Worker() {
  mailbox.post([](Orders& orders) { orders.quit = true; }, true);
}

void Session::Worker::loop() {
  give_way(kEngineNiceness);
  probe();
  publish();
  while (true) {
    const Orders orders = mailbox.take(deadline());
    if (orders.quit) return;
    obey(orders);
    if (job_) start_job();
    if (step_due(Clock::now())) step();
    measure_ceilings_if_due();
    measure_crossover_if_due();
    if (unpublished_ && throttle_.due(Clock::now())) publish();
  }
}

/// Asks what each backend is, or why it can't be used.
void Session::Worker::probe() {
  infos_.clear();
  for (const auto& backend : backends_) infos_.push_back(backend->probe());
}

/// When there is something to do without orders; nothing: never.
std::optional<Clock::time_point> Session::Worker::deadline() const {
  if (job_ || crossover_due() || (single_steps_ > 0 && can_step())) return Clock::time_point{};
  std::optional<Clock::time_point> soonest;
  const auto consider = [&](Clock::time_point at) { soonest = soonest ? std::min(*soonest, at) : at; };
  if (playing_ && can_step()) consider(next_step_);
  if (unpublished_) consider(throttle_.next());
  if (measure_at_) consider(*measure_at_);
  return soonest;
}

bool Session::Worker::step_due(Clock::time_point now) const {
  return can_step() && (single_steps_ > 0 || (playing_ && now >= next_step_));
}

void Session::Worker::step() {
  next_step_ = Clock::now() + pace(speed_);
  if (single_steps_ > 0) --single_steps_;
  const std::stop_token stop = mailbox.stop_token();
  const Status status = run_->step(stop);
  unpublished_ = true;
  if (status) return doubt_ceilings();
  if (stop.stop_requested()) {
    broken_ = true;  // whoever stopped it brings the next job
  } else {
    fail(status.error().message);
  }
}

void Session::Worker::fail(const std::string& message) {
  failure_ = QString::fromStdString(message);
  probe();  // it may be a device that is lost
}

/// A run that is faster than its roofline shows that the ceilings were measured while something else kept the machine busy.
void Session::Worker::doubt_ceilings() {
  const auto known = ceilings_.find(machine_of(run_->experiment()));
  if (measure_at_ || known == ceilings_.end() || known->second.times >= kMostMeasurements) return;
  if (run_->shown().beats_roofline()) measure_at_ = Clock::now();
}

void Session::Worker::measure_ceilings_if_due() {
  if (!measure_at_ || Clock::now() < *measure_at_ || !run_ || job_) return;
  const Machine machine = machine_of(run_->experiment());
  activity_ = Session::tr("measuring this machine's ceilings");
  publish();
  const std::stop_token stop = mailbox.stop_token();
  const Ceilings ceilings = backend_of(run_->experiment())->measure_ceilings(machine.second, stop);
  activity_.clear();
  if (stop.stop_requested()) return;  // the orders that stopped it set the next time
  learn(machine, ceilings);
  next_step_ = Clock::now();
  publish();
}

void Session::Worker::learn(const Machine& machine, const Ceilings& ceilings) {
  Measured& measured = ceilings_[machine];
  measured.best = higher_of(measured.best, ceilings);
  ++measured.times;
  measure_at_.reset();
  run_->shown().set_ceilings(measured.best);
}

/// On this thread, so that no step runs beside it.
void Session::Worker::measure_crossover_if_due() {
  if (!crossover_due()) return;
  const std::stop_token stop = mailbox.stop_token();
  const Machine machine = machine_of(run_->experiment());
  activity_ = Session::tr("measuring where the paths cross; the decode is held");
  const auto shown = [this](double fraction) {
    progress_ = fraction;
    publish();
  };
  quiet_.hold(stop);
  const auto before = ceilings_.find(machine);
  const CrossoverRuns::Known known{backend_of(run_->experiment()), run_->weights(),
                                   before == ceilings_.end() ? Ceilings() : before->second.best};
  const auto crossover = crossovers_.measure(run_->experiment(), known, shown, stop);
  quiet_.release();
  activity_.clear();
  progress_ = -1;
  if (crossover) learn(machine, crossover->ceilings);
  next_step_ = Clock::now();
  publish();
}

Snapshot::State Session::Worker::state() const {
  using State = Snapshot::State;
  if (!failure_.isEmpty()) return State::failed;
  if (job_) return State::preparing;
  if (!run_) return State::idle;
  if (!run_->can_step()) return State::finished;
  return playing_ || single_steps_ > 0 ? State::running : State::paused;
}

void Session::Worker::publish() {
  if (run_ && failure_.isEmpty())
    if (const Status complete = run_->complete(); !complete) fail(complete.error().message);
  Snapshot snapshot = run_ ? run_->shown().build() : Snapshot{};
  if (!run_ && job_) snapshot.experiment = job_->experiment;
  snapshot.state = state();
  snapshot.activity = activity_;
  snapshot.progress = progress_;
  snapshot.error = failure_;
  snapshot.backends = infos_;
  snapshot.crossover = crossovers_.report(snapshot.experiment);
  snapshot.pinned = pins_.named(snapshot.experiment);
  outbox.put(std::make_shared<const Snapshot>(std::move(snapshot)));
  throttle_.note(Clock::now());
  unpublished_ = false;
}

void Session::Worker::report(Phase phase, double fraction, Clock::time_point since) {
  const Clock::time_point now = Clock::now();
  if (now - since < kSilentStart || !throttle_.due(now)) return;
  progress_ = fraction;
  activity_ = activity_of(phase, job_->experiment);
  publish();
}

}  // namespace mla::ui
