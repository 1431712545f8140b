#include "ui/session/run_names.h"

#include <QStringList>
#include <algorithm>
#include <string>
#include <string_view>

namespace mla::ui {
namespace {

constexpr int kMostSettings = 3;  // more make no name

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

QString phrase(const Experiment& run, std::string_view part) {
  const QString text = QString::fromStdString(value(run, part));
  if (part == "variant") return text.toUpper();
  if (part == "model" || part == "attention" || part == "cache-dtype" || part == "backend") return text;
  return QString::fromStdString(std::string(part)) + QLatin1Char(' ') + text;
}

QString name_of(const Experiment& run, const std::vector<std::string_view>& parts) {
  if (parts.empty() || parts.size() > kMostSettings) {
    const QString described = QString::fromStdString(describe(run));
    const bool told = parts.empty() || parts.front() != "model";
    return told ? described : phrase(run, "model") + QStringLiteral(" · ") + described;
  }
  QStringList phrases;
  for (const std::string_view part : parts) phrases << phrase(run, part);
  return phrases.join(QStringLiteral(" · "));
}

}  // namespace

std::vector<QString> names_of_runs(const std::vector<const Experiment*>& runs, const Experiment& present) {
  std::vector<std::string_view> telling;
  for (const std::string_view part : parts_of_a_run()) {
    const std::string own = value(present, part);
    const auto differs = [&](const Experiment* run) { return value(*run, part) != own; };
    if (std::any_of(runs.begin(), runs.end(), differs)) telling.push_back(part);
  }
  std::vector<QString> names;
  for (const Experiment* run : runs) names.push_back(name_of(*run, telling));
  return names;
}

}  // namespace mla::ui
