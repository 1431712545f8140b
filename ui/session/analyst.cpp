#include "ui/session/analyst.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "ui/session/priority.h"

namespace mla::ui {
namespace {

constexpr std::chrono::milliseconds kQuiet{250};  // without another wish, before a study begins
constexpr int kNiceness = 15;
constexpr std::size_t kMostLarge = 8;  // findings with maps or curves that are kept, of each topic
constexpr double kTold = 0.02;         // progress between two signals

bool is_large(Topic topic) { return topic == Topic::rank || topic == Topic::coupling || topic == Topic::comparison; }

}  // namespace

Analyst::Analyst(QObject* parent, Result<std::string> text)
    : QObject(parent), text_(std::move(text)), thread_([this](const std::stop_token& stop) { loop(stop); }) {}

Analyst::~Analyst() {
  thread_.request_stop();
  const std::lock_guard lock(mutex_);
  running_.request_stop();
}

void Analyst::want(const Subject& subject, const Topics& topics, std::weak_ptr<const ModelWeights> weights) {
  const std::lock_guard lock(mutex_);
  weights_ = std::move(weights);
  if (subject == planned_for_ && topics == planned_topics_) return;
  if (subject != planned_for_) quiet_from_ = Clock::now() + kQuiet;
  planned_for_ = subject;
  planned_topics_ = topics;
  plan_ = plan_studies(subject, topics);
  curve_ = topics.contains(Topic::curve) ? plan_quality_curve(subject.experiment) : std::vector<QualityPoint>();
  curve_studies_ = quality_studies(curve_);
  gathered_.reset();
  const auto runs = [this](const Study& study) { return study.key == running_key_; };
  const bool still =
      std::any_of(plan_.begin(), plan_.end(), runs) || std::any_of(curve_studies_.begin(), curve_studies_.end(), runs);
  if (!still) running_.request_stop();
  wished_.notify_all();
}

void Analyst::hold(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  held_ = true;
  running_.request_stop();
  wished_.wait(lock, stop, [this] { return running_key_.empty(); });
}

void Analyst::release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  wished_.notify_all();
}

/// The first study that was not carried out yet; null: none, or it has to wait.
const Study* Analyst::next() const {
  if (held_) return nullptr;
  for (const std::vector<Study>* studies : {&plan_, &curve_studies_})
    for (const Study& study : *studies)
      if (!find(study)) return &study;
  return nullptr;
}

const Finding* Analyst::find(const Study& study) const {
  const auto found = known_.find(study.key);
  return found == known_.end() ? nullptr : &found->second;
}

/// Until there is something to find out and the subject has been the same for a moment. False: the end.
bool Analyst::wait_for_wish(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!next()) {
      wished_.wait(lock, stop, [this] { return next() != nullptr; });
      continue;
    }
    const Clock::time_point quiet = quiet_from_;
    if (Clock::now() >= quiet) return true;
    wished_.wait_until(lock, stop, quiet, [&] { return quiet_from_ != quiet; });
  }
  return false;
}

void Analyst::loop(const std::stop_token& stop) {
  give_way(kNiceness);
  std::unique_lock lock(mutex_);
  while (wait_for_wish(lock, stop)) study(lock);
}

/// Carries the next study out, without the lock.
void Analyst::study(std::unique_lock<std::mutex>& lock) {
  const Study* wanted = next();
  if (!wanted) return;
  const Study study = *wanted;
  running_ = std::stop_source();
  running_key_ = study.key;
  progress_ = 0;
  const std::stop_token cancelled = running_.get_token();
  const std::shared_ptr<const ModelWeights> weights = weights_.lock();
  lock.unlock();
  Finding finding = carry_out(
      study, text_, weights.get(), [this](double f) { note_progress(f); }, cancelled);
  lock.lock();
  running_key_.clear();
  wished_.notify_all();
  if (!cancelled.stop_requested()) keep(study, std::move(finding));
  tell();
}

void Analyst::tell() {
  gathered_.reset();
  QMetaObject::invokeMethod(this, "changed", Qt::QueuedConnection);
}

void Analyst::keep(const Study& study, Finding finding) {
  if (is_large(study.topic)) {
    const std::string prefix = std::to_string(int(study.topic)) + ' ';
    std::vector<std::string> same;
    for (const auto& [key, kept] : known_)
      if (key.starts_with(prefix)) same.push_back(key);
    if (same.size() >= kMostLarge) known_.erase(same.front());
  }
  if (finding.comparison) finding.comparison = with_quality(*finding.comparison);
  known_[study.key] = std::move(finding);
}

/// What is known of both sides by now; they were planned to be measured before.
std::shared_ptr<const Comparison> Analyst::with_quality(Comparison comparison) const {
  for (ComparisonSide* side : {&comparison.first, &comparison.second}) {
    const QualityReport quality = quality_of(side->experiment);
    if (quality.state == QualityReport::State::known) side->bits_per_byte = quality.bits_per_byte;
  }
  return std::make_shared<const Comparison>(std::move(comparison));
}

void Analyst::note_progress(double fraction) {
  const std::lock_guard lock(mutex_);
  if (fraction < progress_ + kTold) return;
  progress_ = fraction;
  tell();
}

QualityReport Analyst::report(const Experiment& experiment) const {
  const std::lock_guard lock(mutex_);
  return quality_of(experiment);
}

QualityReport Analyst::quality_of(const Experiment& experiment) const {
  using State = QualityReport::State;
  if (!studied_unasked(experiment)) return {};
  const Finding* finding = find(quality_study(experiment));
  if (!finding) return {State::measuring, 0, {}};
  if (!finding->error.empty()) return {State::failed, 0, QString::fromStdString(finding->error)};
  return {State::known, finding->bits_per_byte, {}};
}

/// What a view shows in place of a finding; empty where it is there.
QString Analyst::note_on(const Study& study) const {
  if (const Finding* finding = find(study)) return QString::fromStdString(finding->error);
  if (study.key != running_key_) return tr("waiting to be measured…");
  return tr("measuring: %1 %").arg(std::lround(100 * progress_));
}

Findings Analyst::findings() const {
  const std::lock_guard lock(mutex_);
  if (!gathered_) gathered_ = gather();
  return *gathered_;
}

Findings Analyst::gather() const {
  Findings all;
  all.quality = quality_of(planned_for_.experiment);
  for (const Study& study : plan_) {
    const Finding* finding = find(study);
    if (study.topic == Topic::heads && finding) all.head_kinds = finding->heads;
    if (study.topic == Topic::precision) {
      if (finding) all.precision = finding->precision;
      all.precision_note = note_on(study);
    }
    if (study.topic == Topic::rank) {
      all.rank = finding ? finding->rank : nullptr;
      all.rank_note = note_on(study);
    }
    if (study.topic == Topic::comparison) {
      all.comparison = finding ? finding->comparison : nullptr;
      all.comparison_note = note_on(study);
    }
    if (study.topic == Topic::coupling) {
      all.coupled = finding ? finding->coupled : nullptr;
      all.coupled_note = note_on(study);
    }
  }
  if (planned_topics_.contains(Topic::comparison) && !planned_for_.other)
    all.comparison_note = tr("pin a run (Ctrl+P), then change a setting: the two are compared here");
  if (!planned_topics_.contains(Topic::curve)) return all;
  auto curve = std::make_shared<std::vector<QualityPoint>>(curve_);
  for (std::size_t i = 0; i < curve->size(); ++i) {
    const Finding* finding = find(curve_studies_[i]);
    (*curve)[i].bits_per_byte = finding ? finding->bits_per_byte : 0;
    if (finding && !finding->error.empty()) (*curve)[i].error = finding->error;
  }
  all.quality_curve = std::move(curve);
  return all;
}

}  // namespace mla::ui
