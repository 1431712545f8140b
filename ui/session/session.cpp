#include "ui/session/session.h"

#include <QMetaObject>
#include <QTimer>
#include <algorithm>
#include <chrono>
#include <utility>

#include "core/engine/thread_guard.h"
#include "ui/session/analyst.h"
#include "ui/session/worker.h"

namespace mla::ui {

Session::Session(std::vector<std::unique_ptr<ComputeBackend>> backends, QObject* parent)
    : QObject(parent),
      experiment_(default_experiment()),
      snapshot_(std::make_shared<const Snapshot>()),
      analyst_(new Analyst(this)) {
  forbid_engine_on_this_thread();
  connect(analyst_, &Analyst::changed, this, [this] {
    found_ = true;
    deliver();
  });
  const Quiet quiet{[this](const std::stop_token& stop) { analyst_->hold(stop); }, [this] { analyst_->release(); }};
  const auto wake = [this] { QMetaObject::invokeMethod(this, "deliver", Qt::QueuedConnection); };
  worker_ = std::make_unique<Worker>(std::move(backends), wake, quiet);
}

Session::~Session() = default;

void Session::deliver() {
  if (planned_) return;
  const auto now = Clock::now();
  if (!throttle_.due(now)) {
    planned_ = true;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(throttle_.next() - now);
    QTimer::singleShot(wait, Qt::PreciseTimer, this, [this] {
      planned_ = false;
      deliver();
    });
    return;
  }
  throttle_.note(now);
  const Outbox::Contents contents = worker_->outbox.take();
  const bool found = std::exchange(found_, false);
  for (const Verdict& verdict : contents.verdicts) {
    if (verdict.ticket == ticket_ && verdict.experiment != experiment_) {
      experiment_ = verdict.experiment;
      emit experimentChanged(experiment_);
    }
    if (!verdict.refusal.empty()) emit refused(QString::fromStdString(verdict.refusal));
  }
  if (contents.snapshot || found) show(contents.snapshot ? *contents.snapshot : *snapshot_);
}

/// With what was found out about it.
void Session::show(const Snapshot& snapshot) {
  auto shown = std::make_shared<Snapshot>(snapshot);
  if (shown->run > 0) {
    analyst_->want(subject_of(*shown, topics_), topics_, shown->weights);
    static_cast<Findings&>(*shown) = analyst_->findings();
  }
  snapshot_ = std::move(shown);
  emit snapshotChanged(snapshot_);
}

void Session::setExperiment(const Experiment& experiment) {
  if (const Status valid = validate(experiment); !valid) {
    emit experimentChanged(experiment_);
    emit refused(QString::fromStdString(valid.error().message));
    return;
  }
  if (ticket_ > 0 && experiment == experiment_ && snapshot_->state != Snapshot::State::failed) return;
  experiment_ = experiment;
  ++ticket_;
  worker_->mailbox.post([&](Orders& orders) { orders.change = {experiment, ticket_}; }, true);
  emit experimentChanged(experiment_);
}

void Session::study(const Topics& topics) {
  Topics all{Topic::quality, Topic::precision, Topic::heads};
  all.insert(topics.begin(), topics.end());
  if (all == topics_) return;
  topics_ = std::move(all);
  show(*snapshot_);
}

void Session::play() {
  playing_ = true;
  worker_->mailbox.post([](Orders& orders) { orders.play = true; }, false);
}

void Session::pause() {
  playing_ = false;
  worker_->mailbox.post([](Orders& orders) { orders.play = false; }, false);
}

void Session::step() {
  playing_ = false;
  const auto once = [](Orders& orders) {
    orders.play = false;
    ++orders.steps;
  };
  worker_->mailbox.post(once, false);
}

void Session::restart() {
  worker_->mailbox.post([](Orders& orders) { orders.restart = true; }, true);
}

void Session::cancel() {
  if (snapshot_->run > 0 && snapshot_->state == Snapshot::State::preparing) setExperiment(snapshot_->experiment);
}

void Session::setSpeed(double tokensPerSecond) {
  const double speed = std::max(0.0, tokensPerSecond);
  worker_->mailbox.post([=](Orders& orders) { orders.speed = speed; }, false);
}

void Session::request(const AttentionRequest& request) {
  if (request == request_) return;
  const bool other_rows = request.layer != request_.layer || (request.rows && !request_.rows);
  request_ = request;
  worker_->mailbox.post([&](Orders& orders) { orders.request = request; }, other_rows);
}

void Session::pin() {
  worker_->mailbox.post([](Orders& orders) { orders.pins.push_back(Orders::kPin); }, false);
}

void Session::setPinned(const std::vector<Experiment>& experiments) {
  const auto replace = [&](Orders& orders) {
    orders.pinned = experiments;
    orders.pins.clear();
  };
  worker_->mailbox.post(replace, false);
}

void Session::measureCrossover() {
  worker_->mailbox.post([](Orders& orders) { orders.crossover = true; }, false);
}

void Session::cancelCrossover() {
  worker_->mailbox.post([](Orders& orders) { orders.crossover = false; }, snapshot_->crossover.measuring());
}

void Session::unpin(int index) {
  worker_->mailbox.post([=](Orders& orders) { orders.pins.push_back(index); }, false);
}

}  // namespace mla::ui
