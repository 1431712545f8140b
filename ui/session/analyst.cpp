#include "ui/session/analyst.h"

#include <chrono>

#include "core/analysis/quality.h"
#include "core/engine/run.h"
#include "core/model/model_catalog.h"
#include "ui/session/priority.h"

namespace mla::ui {
namespace {

constexpr std::chrono::milliseconds kQuiet{250};      // without another wish, before a measurement begins
constexpr std::int64_t kMostParameters = 50'000'000;  // what is measured unasked, beside a decode
constexpr int kNiceness = 15;

/// The settings with all that quality does not depend on left at one value: paths agree up to rounding.
Experiment essence_of(const Experiment& experiment) {
  Experiment essence = default_experiment();
  essence.model = experiment.model;
  essence.spec = experiment.spec;
  essence.layers = experiment.layers;
  essence.cache_dtype = experiment.cache_dtype;
  essence.context = experiment.context;
  essence.path = experiment.spec.attention.is_mla() ? AttentionPath::absorbed : AttentionPath::expanded;
  essence.threads = 1;
  return essence;
}

std::string key_of(const Experiment& experiment) { return to_json(essence_of(experiment)); }

bool applies(const Experiment& experiment) {
  return !experiment.model.empty() && experiment.spec.vocab_size > 0 &&
         parameter_count(experiment.spec, experiment.layers) <= kMostParameters;
}

Result<Quality> quality_of(const Experiment& experiment, const std::stop_token& stop) {
  const Result<std::string> text = held_out_excerpt();
  if (!text) return text.error();
  const Result<LoadedModel> model = load(experiment, nullptr, {}, stop);
  if (!model) return model.error();
  const std::unique_ptr<ComputeBackend> backend = make_cpu_backend();
  return measure_quality(*model, *backend, *text, {}, stop);
}

}  // namespace

Analyst::Analyst(QObject* parent) : QObject(parent), thread_([this](const std::stop_token& stop) { loop(stop); }) {}

Analyst::~Analyst() {
  thread_.request_stop();
  const std::lock_guard lock(mutex_);
  running_.request_stop();
}

QualityReport Analyst::report(const Experiment& experiment) const {
  if (!applies(experiment)) return {};
  const std::string key = key_of(experiment);
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(key);
  if (found == known_.end()) return {QualityReport::State::measuring, 0, {}};
  if (!found->second.error.empty()) return {QualityReport::State::failed, 0, QString::fromStdString(found->second.error)};
  return {QualityReport::State::known, found->second.bits_per_byte, {}};
}

void Analyst::want(const Experiment& experiment) {
  if (!applies(experiment)) return;
  const Experiment essence = essence_of(experiment);
  const std::lock_guard lock(mutex_);
  if ((wish_ && *wish_ == essence) || known_.contains(to_json(essence))) return;
  wish_ = essence;
  ++wishes_;
  running_.request_stop();
  wished_.notify_all();
}

/// Until there is a wish and no newer one came for a moment. False: the end.
bool Analyst::wait_for_wish(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  wished_.wait(lock, stop, [this] { return wish_.has_value(); });
  for (quint64 seen = 0; seen != wishes_ && !stop.stop_requested();) {
    seen = wishes_;
    wished_.wait_for(lock, stop, kQuiet, [&] { return wishes_ != seen; });
  }
  return !stop.stop_requested();
}

void Analyst::loop(const std::stop_token& stop) {
  give_way(kNiceness);
  std::unique_lock lock(mutex_);
  while (wait_for_wish(lock, stop)) {
    running_ = std::stop_source();
    const Experiment experiment = *wish_;
    const std::stop_token cancelled = running_.get_token();
    lock.unlock();
    measure(experiment, cancelled);
    lock.lock();
    if (wish_ && *wish_ == experiment) wish_.reset();
  }
}

void Analyst::measure(const Experiment& experiment, const std::stop_token& stop) {
  const Result<Quality> quality = quality_of(experiment, stop);
  if (stop.stop_requested()) return;
  {
    const std::lock_guard lock(mutex_);
    known_[to_json(experiment)] = quality ? Outcome{quality->bits_per_byte(), {}} : Outcome{0, quality.error().message};
  }
  QMetaObject::invokeMethod(this, &Analyst::changed, Qt::QueuedConnection);
}

}  // namespace mla::ui
