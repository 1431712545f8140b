#include "ui/controls/setting_rules.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>
#include <limits>

#include "core/spec/limits.h"

namespace mla::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("ExperimentPanel", text); }

bool among(std::string_view setting, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), setting) != names.end();
}

QString reason_of_variant(const AttentionSpec& attention, std::string_view setting) {
  if (setting == "kv-lora-rank" && !attention.is_mla()) return tr("Only MLA compresses keys and values into a latent.");
  if (setting == "q-lora-rank" && !attention.is_mla()) return tr("Only MLA compresses its query.");
  if (setting != "kv-heads") return {};
  switch (attention.variant) {
    case Variant::mla:
      return tr("MLA keeps one latent for all heads: there are no groups. GQA has them.");
    case Variant::mha:
      return tr("MHA keeps keys and values of every head. GQA has groups.");
    case Variant::mqa:
      return tr("MQA keeps one key and value for all heads. GQA has groups.");
    case Variant::gqa:
      break;
  }
  return {};
}

QString reason_against_lens(const Experiment& experiment) {
  if (experiment.model.empty()) return tr("The rank lens looks at trained weights. Choose a trained model.");
  if (experiment.spec.block == BlockKind::toy)
    return tr("The tutorial's keys are the latent itself: there is no map to cut.");
  return {};
}

QString reason_of_toy(std::string_view setting) {
  if (setting == "variant") return tr("The tutorial's block is MLA only.");
  if (among(setting, {"rope-dim"})) return tr("The tutorial's block has no RoPE.");
  if (setting == "nope-dim") return tr("In the tutorial's block the key is as wide as the latent.");
  if (setting == "v-head-dim") return tr("The tutorial's block shares its hidden size out to its heads.");
  if (setting == "layers") return tr("The tutorial's block is one layer.");
  return {};
}

std::vector<int> head_counts() {
  return {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 48, 56, 63, 64, 80, 96, 112, 126, 128};
}

SettingRange layers_of(const Experiment& experiment) {
  const bool fixed = !experiment.preset.empty() || !experiment.model.empty();
  if (fixed) return {ValueScale::every(1, experiment.spec.num_hidden_layers), 1, experiment.spec.num_hidden_layers};
  return {ValueScale::every(1, 24), 1, int(limits::layers.high)};
}

}  // namespace

QString reason_against(const Experiment& experiment, std::string_view setting) {
  const bool shape = among(setting, {"variant", "kv-lora-rank", "q-lora-rank", "heads", "kv-heads", "nope-dim", "rope-dim",
                                     "v-head-dim", "hidden-size"});
  if (setting == "lens-rank") return reason_against_lens(experiment);
  const bool elastic = experiment.spec.attention.elastic.has_value();
  if (shape && !experiment.model.empty() && !(elastic && among(setting, {"kv-lora-rank", "heads", "rope-dim"})))
    return tr("A trained model has its dimensions. Choose the random block to move all of them.");
  if (among(setting, {"prompt", "temperature", "top-k", "top-p"}) && experiment.spec.vocab_size == 0) {
    return tr("This block has no vocabulary: it is fed random vectors, not text.");
  }
  if (experiment.spec.block == BlockKind::toy) {
    if (const QString reason = reason_of_toy(setting); !reason.isEmpty()) return reason;
  }
  return reason_of_variant(experiment.spec.attention, setting);
}

QString what_followed(const Experiment& before, const Experiment& after, std::string_view asked) {
  QStringList changes;
  for (const std::string_view setting : setting_names()) {
    if (setting == asked || value_of(before, setting) == value_of(after, setting)) continue;
    changes << QString::fromStdString(std::string(setting) + " " + value_of(after, setting));
  }
  return changes.join(QStringLiteral(", "));
}

SettingRange range_of(const Experiment& experiment, std::string_view setting) {
  const auto octaves = [](int low, int high, Range range) {
    return SettingRange{ValueScale::octaves(low, high), int(range.low), int(range.high)};
  };
  const int heads = experiment.spec.attention.num_attention_heads;
  if (const auto& full = experiment.spec.attention.elastic) {
    if (setting == "kv-lora-rank") return octaves(1, full->kv_lora_rank, {1, full->kv_lora_rank});
    if (setting == "heads") return {ValueScale::every(1, full->num_attention_heads), 1, full->num_attention_heads};
  }
  if (setting == "lens-rank") {
    const int full = full_lens_rank(experiment.spec.attention);
    return {ValueScale::none_or_octaves(1, full), 0, full};
  }
  if (setting == "kv-lora-rank") return octaves(2, 1024, limits::kv_lora_rank);
  if (setting == "q-lora-rank") return {ValueScale::none_or_octaves(8, 2048), 0, int(limits::q_lora_rank.high)};
  if (setting == "heads") return {ValueScale(head_counts()), int(limits::heads.low), int(limits::heads.high)};
  if (setting == "kv-heads") return {ValueScale::divisors(heads), 1, heads};
  if (setting == "v-head-dim") return octaves(4, 256, limits::head_dim);
  if (setting == "hidden-size") return octaves(64, 8192, limits::hidden_size);
  if (setting == "layers") return layers_of(experiment);
  if (setting == "context") return octaves(64, 131072, limits::context);
  if (setting == "prefill") return {ValueScale::none_or_octaves(16, 98304), 0, int(limits::context.high)};
  return octaves(1, 64, limits::batch);
}

}  // namespace mla::ui
