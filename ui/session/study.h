#pragma once

#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/comparison.h"
#include "core/analysis/quality_curve.h"
#include "core/analysis/studies.h"
#include "core/spec/experiment.h"

namespace mla::ui {

/// What can be found out about a trained model beside its decode.
enum class Topic {
  quality,     ///< bits per byte on the held-out excerpt at these settings
  heads,       ///< the kinds of its heads
  precision,   ///< what the cache's precision changes against fp32
  curve,       ///< quality against cache bytes: many measurements of the first kind
  rank,        ///< the rank lens
  coupling,    ///< coupled RoPE
  comparison,  ///< side by side with the first pinned run, on the same tokens
};
using Topics = std::set<Topic>;

/// What is studied.
struct Subject {
  Experiment experiment;
  std::optional<Experiment> other = {};  ///< what it is compared with, if anything
  std::vector<int> tokens = {};          ///< on which; -1 where vectors are fed
  int layer = 0;                         ///< whose attention is compared
  bool operator==(const Subject&) const = default;
};

struct Snapshot;
/// What of a snapshot these topics look at. Of its tokens those up to a power of two, so that not every token is a new
/// subject.
Subject subject_of(const Snapshot& snapshot, const Topics& topics);

/// One thing to be found out.
struct Study {
  Topic topic = Topic::quality;
  Subject subject;  ///< with all that the outcome does not depend on left at one value
  std::string key;  ///< the same for studies with the same outcome
};

/// Its outcome; what belongs to the topic is set, or else the error.
struct Finding {
  std::string error = {};
  double bits_per_byte = 0;
  std::optional<CacheError> precision = {};
  std::shared_ptr<const RankCurve> rank = {};
  std::shared_ptr<const CoupledRope> coupled = {};
  std::shared_ptr<const std::vector<HeadScore>> heads = {};
  std::shared_ptr<const Comparison> comparison = {};
};

/// Quality at an experiment's settings.
Study quality_study(const Experiment& experiment);

/// Quality at every point of the curve, in its order.
std::vector<Study> quality_studies(const std::vector<QualityPoint>& curve);

/// What the cache's precision changes; nothing where it is fp32 or nothing is cached.
std::optional<Study> precision_study(const Experiment& experiment);

/// Whether quality and kinds of heads are measured unasked: a trained model with a vocabulary, of a size that a thread
/// beside the decode can manage.
bool studied_unasked(const Experiment& experiment);

/// What these topics ask of a subject, the most urgent first, but for the points of the curve. Of random weights only the
/// cache's precision is studied, and what they are compared with.
std::vector<Study> plan_studies(const Subject& subject, const Topics& topics);

/// Carries a study out on one thread. `previous`: weights to share what they hold with, or null. Stopped, the finding means
/// nothing.
Finding carry_out(const Study& study, const Result<std::string>& text, const ModelWeights* previous,
                  const Progress& progress, std::stop_token stop);

}  // namespace mla::ui
