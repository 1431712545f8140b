#include "app/window/analyses.h"

#include <algorithm>
#include <utility>

#include "core/model/model_catalog.h"

namespace mla {
namespace {

constexpr int kCoupledTokens = 64;  // maps of more would have cells smaller than a pixel in a small picture
constexpr int kRankWindow = 256;
constexpr int kRankTokens = 1024;
constexpr int kInductionLength = 50;

std::vector<int> prompt_of(const ui::Snapshot& snapshot) {
  std::vector<int> tokens;
  if (!snapshot.tokens) return tokens;
  for (const ui::Token& token : *snapshot.tokens)
    if (!token.generated && token.id >= 0) tokens.push_back(token.id);
  return tokens;
}

/// What the model has not written itself: the excerpt that comes with the program, as far as its vocabulary goes, or else
/// the prompt.
std::pair<std::vector<int>, std::string> text_for(const LoadedModel& model, const ui::Snapshot& snapshot) {
  const Result<std::string> excerpt = held_out_excerpt();
  const Result<Vocabulary> vocabulary = vocabulary_of(model.experiment);
  if (excerpt && vocabulary && vocabulary->has_text()) {
    auto tokens = vocabulary->encode(*excerpt, model.experiment.spec.vocab_size);
    if (tokens) return {std::move(*tokens), "the excerpt of fairy tales"};
  }
  return {prompt_of(snapshot), "the prompt"};
}

Status add_rank(const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
  const auto factors = factor_latent(model.experiment.spec, *model.weights, model.experiment.threads);
  if (!factors) return factors.error();
  auto [tokens, text] = text_for(model, snapshot);
  tokens.resize(std::min<std::size_t>(tokens.size(), kRankTokens));
  const int window = std::min(kRankWindow, model.experiment.spec.max_position_embeddings);
  auto curve = measure_ranks(model, **factors, usual_ranks((*factors)->full_rank()), tokens, window, backend);
  if (!curve) return curve.error();
  curve->text = text;
  snapshot.rank = std::make_shared<const RankCurve>(std::move(*curve));
  return {};
}

/// The layer whose scores suffer most.
Status add_coupled(const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
  std::vector<int> tokens = text_for(model, snapshot).first;
  tokens.resize(std::min<std::size_t>(tokens.size(), kCoupledTokens));
  for (int layer = 0; layer < model.experiment.layers; ++layer) {
    auto rope = coupled_rope(model, layer, tokens, backend);
    if (!rope) return rope.error();
    if (!snapshot.coupled || rope->largest_coupled() > snapshot.coupled->largest_coupled())
      snapshot.coupled = std::make_shared<const CoupledRope>(std::move(*rope));
  }
  return {};
}

/// Random weights have no kinds of heads.
Status add_head_kinds(const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
  if (model.weights->random || model.experiment.spec.vocab_size == 0 || !snapshot.attention.rows) return {};
  const auto induction = induction_scores(model, kInductionLength, model.experiment.seed, backend);
  if (!induction) return induction.error();
  snapshot.head_kinds =
      std::make_shared<const std::vector<HeadScore>>(with_induction(head_scores(*snapshot.attention.rows), *induction));
  return {};
}

}  // namespace

Status add_analysis(const std::string& view, const LoadedModel& model, ComputeBackend& backend, ui::Snapshot& snapshot) {
  if (view == "heads" || view == "window") return add_head_kinds(model, backend, snapshot);
  if (view == "rank") return add_rank(model, backend, snapshot);
  if (view == "coupled") return add_coupled(model, backend, snapshot);
  return {};
}

}  // namespace mla
