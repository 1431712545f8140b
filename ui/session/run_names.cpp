#include "ui/session/run_names.h"

#include <QStringList>
#include <algorithm>
#include <set>
#include <string>
#include <string_view>

namespace mla::ui {
namespace {

constexpr std::size_t kMostSettings = 3;  // more make no name; a variant brings several others along

/// The model, then every setting but the prompt.
std::vector<std::string_view> parts_of_a_run() {
  std::vector<std::string_view> parts{"model"};
  for (const std::string_view setting : setting_names()) {
    if (setting != "prompt") parts.push_back(setting);
  }
  return parts;
}

std::string value(const Experiment& run, std::string_view part) {
  if (part != "model") return value_of(run, part);
  if (!run.model.empty()) return run.model;
  return run.preset.empty() ? "random block" : run.preset;
}

/// Empty where the part means nothing in that run.
QString phrase(const Experiment& run, std::string_view part) {
  const QString text = QString::fromStdString(value(run, part));
  if (part == "variant") return text.toUpper();
  if (part == "model" || part == "attention" || part == "cache-dtype" || part == "backend") return text;
  const bool rank = part == "kv-lora-rank" || part == "q-lora-rank";
  if (rank && !run.spec.attention.is_mla()) return {};
  return QString::fromStdString(std::string(part)) + QLatin1Char(' ') + text;
}

QString name_of(const Experiment& run, const std::vector<std::string_view>& parts) {
  QStringList phrases;
  for (const std::string_view part : parts) {
    if (const QString text = phrase(run, part); !text.isEmpty()) phrases << text;
  }
  return phrases.isEmpty() ? QString::fromStdString(describe(run)) : phrases.join(QStringLiteral(" · "));
}

/// The parts in which the runs differ.
std::vector<std::string_view> telling_parts(const std::vector<const Experiment*>& runs) {
  std::vector<std::string_view> telling;
  for (const std::string_view part : parts_of_a_run()) {
    const std::string first = value(*runs.front(), part);
    const auto differs = [&](const Experiment* run) { return value(*run, part) != first; };
    if (std::any_of(runs.begin(), runs.end(), differs)) telling.push_back(part);
  }
  return telling;
}

/// Of those, as many as it takes to tell all runs apart that can be told apart.
std::vector<std::string_view> enough_of(const std::vector<std::string_view>& telling,
                                        const std::vector<const Experiment*>& runs) {
  std::vector<std::string_view> enough;
  std::vector<std::string> keys(runs.size());  // equal for runs that are not told apart yet
  const auto groups = [](const std::vector<std::string>& of) { return std::set<std::string>(of.begin(), of.end()).size(); };
  for (const std::string_view part : telling) {
    std::vector<std::string> finer = keys;
    for (std::size_t i = 0; i < runs.size(); ++i) finer[i] += '\n' + value(*runs[i], part);
    if (groups(finer) == groups(keys)) continue;
    enough.push_back(part);
    keys = std::move(finer);
  }
  return enough;
}

}  // namespace

std::vector<QString> names_of_runs(const std::vector<const Experiment*>& runs, const Experiment& present) {
  std::vector<const Experiment*> all = runs;
  all.push_back(&present);
  std::vector<std::string_view> parts = telling_parts(all);
  if (parts.size() > kMostSettings) parts = enough_of(parts, all);
  std::vector<QString> names;
  for (const Experiment* run : runs) names.push_back(name_of(*run, parts));
  return names;
}

}  // namespace mla::ui
