#pragma once

#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/quality_curve.h"
#include "core/analysis/studies.h"
#include "core/spec/experiment.h"

namespace mla::ui {

/// What can be found out about a trained model beside its decode.
enum class Topic {
  quality,   ///< bits per byte on the held-out excerpt at these settings
  heads,     ///< the kinds of its heads
  curve,     ///< quality against cache bytes: many measurements of the first kind
  rank,      ///< the rank lens
  coupling,  ///< coupled RoPE
};
using Topics = std::set<Topic>;

/// One thing to be found out.
struct Study {
  Topic topic = Topic::quality;
  Experiment experiment;  ///< with all that the outcome does not depend on left at one value
  std::string key;        ///< the same for studies with the same outcome
};

/// Its outcome; what belongs to the topic is set, or else the error.
struct Finding {
  std::string error = {};
  double bits_per_byte = 0;
  std::shared_ptr<const RankCurve> rank = {};
  std::shared_ptr<const CoupledRope> coupled = {};
  std::shared_ptr<const std::vector<HeadScore>> heads = {};
};

/// Quality at an experiment's settings.
Study quality_study(const Experiment& experiment);

/// Quality at every point of the curve, in its order.
std::vector<Study> quality_studies(const std::vector<QualityPoint>& curve);

/// Whether quality and kinds of heads are measured unasked: a trained model with a vocabulary, of a size that a thread
/// beside the decode can manage.
bool studied_unasked(const Experiment& experiment);

/// What these topics ask of an experiment, the most urgent first, but for the points of the curve. Empty for random weights.
std::vector<Study> plan_studies(const Experiment& experiment, const Topics& topics);

/// Carries a study out on one thread. `previous`: weights to share what they hold with, or null. Stopped, the finding means
/// nothing.
Finding carry_out(const Study& study, const Result<std::string>& text, const ModelWeights* previous,
                  const Progress& progress, std::stop_token stop);

}  // namespace mla::ui
