#include "ui/views/memory_view.h"

#include <QToolButton>
#include <algorithm>
#include <cctype>
#include <map>

#include "core/analysis/memory.h"
#include "core/io/csv.h"
#include "core/spec/format.h"
#include "ui/views/variant_colors.h"

namespace mla::ui {
namespace {

constexpr int kSamples = 128;  // points along a formula's line, so that a person can read it anywhere

/// The same whatever this run is; this run's own is 0.
int colorOf(const MemoryLine& line) { return variantColor(line.variant, line.path == AttentionPath::expanded ? 3 : 5); }

/// Bytes a token puts into the cache of the layers that run, all sequences; the line counts all layers of one sequence.
double bytesPerToken(const MemoryLine& line, const Experiment& experiment) {
  const int layers = std::max(1, experiment.spec.num_hidden_layers);
  return double(line.bytes_per_token / layers) * experiment.layers * experiment.batch;
}

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

/// "gqa_8_formula_bytes": a CSV column.
std::string columnOf(const std::string& label) {
  std::string name;
  for (const char c : label)
    if (std::isalnum(static_cast<unsigned char>(c)))
      name += char(std::tolower(c));
    else if (!name.empty() && name.back() != '_')
      name += '_';
  return name + (name.back() == '_' ? "" : "_") + "formula_bytes";
}

QList<QPointF> sampled(double bytes_per_token, double tokens) {
  QList<QPointF> points{{0, 0}};
  const int step = std::max(1, int(tokens / kSamples));
  for (int t = 1; t < step; t *= 2) points.append({double(t), t * bytes_per_token});  // a log axis shows these, too
  for (int t = step; t <= tokens; t += step) points.append({double(t), t * bytes_per_token});
  if (points.back().x() < tokens) points.append({tokens, tokens * bytes_per_token});
  return points;
}

/// The formulas' lines, this run's own first; variants of equal size share one.
std::vector<Series> formulaSeries(const Experiment& experiment, double tokens) {
  std::vector<Series> all;
  std::map<double, std::size_t> by_size;
  for (const MemoryLine& line : compare_memory(experiment)) {
    const double bytes = bytesPerToken(line, experiment);
    const auto [it, fresh] = by_size.try_emplace(bytes, all.size());
    if (!fresh) {
      all[it->second].name += QStringLiteral(" = ") + text(line.label);
      continue;
    }
    all.push_back({text(line.label), columnOf(line.label), Role::formula, Stroke::normal, all.empty() ? 0 : colorOf(line),
                   sampled(bytes, tokens)});
  }
  return all;
}

/// The line to compare this run with: GQA, or MHA for a run that is GQA itself, or MLA for one that is MHA.
const MemoryLine* baselineOf(const std::vector<MemoryLine>& lines) {
  const Variant wanted = lines.front().variant == Variant::gqa   ? Variant::mha
                         : lines.front().variant == Variant::mha ? Variant::mla
                                                                 : Variant::gqa;
  const auto it = std::find_if(lines.begin() + 1, lines.end(), [&](const auto& line) { return line.variant == wanted; });
  return it == lines.end() ? nullptr : &*it;
}

/// "3.6x below GQA-8", from what this run holds per token.
QString comparison(const Experiment& experiment, double bytes_per_token) {
  const std::vector<MemoryLine> lines = compare_memory(experiment);
  const MemoryLine* baseline = baselineOf(lines);
  if (!baseline || bytes_per_token <= 0) return {};
  const double ratio = bytesPerToken(*baseline, experiment) / bytes_per_token;
  const QString name = text(baseline->label);
  if (ratio == 1) return MemoryView::tr("as large as %1").arg(name);
  if (ratio > 1) return MemoryView::tr("%1 below %2").arg(text(format_ratio(ratio)), name);
  return MemoryView::tr("%1 above %2").arg(text(format_ratio(1 / ratio)), name);
}

QString headlineOf(const Snapshot& snapshot) {
  const Experiment& e = snapshot.experiment;
  if (e.path == AttentionPath::uncached) return MemoryView::tr("no cache: everything is computed again at every step");
  if (!snapshot.steps || snapshot.steps->empty()) return comparison(e, bytesPerToken(compare_memory(e).front(), e));
  const Step& last = snapshot.steps->back();
  return MemoryView::tr("%1 at %2 tokens · %3")
      .arg(text(format_bytes(last.cache_bytes)), text(format_count(last.tokens)),
           comparison(e, double(last.cache_bytes) / std::max(1, last.tokens)));
}

QString captionOf(const Experiment& e) {
  QString caption = MemoryView::tr("%1 of %2 layers run · %3")
                        .arg(e.layers)
                        .arg(e.spec.num_hidden_layers)
                        .arg(QString::fromUtf8(name_of(e.cache_dtype)));
  if (e.batch > 1) caption += MemoryView::tr(" · %1 sequences").arg(e.batch);
  caption += MemoryView::tr(" · other variants by formula, at the same dimensions");
  return caption;
}

/// Tokens that the axis shows: those so far, with room to grow.
double tokensShown(const Snapshot& snapshot) {
  double tokens = 0;
  if (snapshot.steps && !snapshot.steps->empty()) tokens = snapshot.steps->back().tokens;
  for (const PinnedRun& run : snapshot.pinned)
    if (run.steps && !run.steps->empty()) tokens = std::max<double>(tokens, run.steps->back().tokens);
  return std::max(tokens, std::min<double>(niceCeil(std::max(32.0, tokens * 1.15)), snapshot.experiment.context));
}

double cacheBytes(const Step& step) { return double(step.cache_bytes); }

}  // namespace

MemoryView::MemoryView(QWidget* parent)
    : ChartView(new LineChart, parent), log_(new QToolButton), bytes_(cacheBytes), pinned_(cacheBytes) {
  chart().setAccessibleName(tr("Chart of cache memory against tokens"));
  log_->setText(tr("log"));
  log_->setCheckable(true);
  log_->setToolTip(tr("Show bytes on a logarithmic scale"));
  log_->setAccessibleName(tr("Logarithmic scale"));
  connect(log_, &QToolButton::toggled, this, [this] { refresh(); });
  chart().setCorner(log_);
}

void MemoryView::setLogarithmic(bool on) { log_->setChecked(on); }

std::vector<ViewOption> MemoryView::options() {
  return {{"scale", {"linear", "log"}, log_->isChecked() ? 1 : 0, [this](int i) { setLogarithmic(i == 1); }}};
}

ChartData MemoryView::build(const Snapshot& snapshot) const {
  static const std::vector<Step> none;
  const std::vector<Step>& steps = snapshot.steps ? *snapshot.steps : none;
  const double tokens = tokensShown(snapshot);
  ChartData shown;
  shown.headline = headlineOf(snapshot);
  shown.caption = captionOf(snapshot.experiment);
  shown.x = {tr("tokens"), "tokens", Unit::count, Scale::linear, 0.0, tokens};
  shown.y = {tr("cache"), "", Unit::bytes, log_->isChecked() ? Scale::log : Scale::linear, {}, {}};
  if (steps.empty()) shown.empty = emptyText(snapshot);
  bytes_.follow(snapshot.run, steps);
  shown.series.push_back({tr("this run"), "cache_bytes", Role::measured, Stroke::bold, 0, bytes_.raw()});
  const std::vector<const StepCurve*> pinned = pinned_.of(snapshot.pinned);
  for (std::size_t i = 0; i < pinned.size(); ++i)
    if (!pinned[i]->raw().isEmpty())
      shown.series.push_back(
          {snapshot.pinned[i].name, "", Role::measured, Stroke::normal, pinnedColor(i), pinned[i]->raw()});
  for (Series& series : formulaSeries(snapshot.experiment, tokens)) shown.series.push_back(std::move(series));
  return shown;
}

Table MemoryView::table() const {
  if (!snapshot()) return {};
  const Snapshot& s = *snapshot();
  const std::vector<MemoryLine> lines = compare_memory(s.experiment);
  Table table{{"tokens", "cache_bytes", "cache_allocated_bytes"}, {}};
  for (const MemoryLine& line : lines) table.columns.push_back(columnOf(line.label));
  for (const PinnedRun& run : s.pinned) table.columns.push_back("pinned_cache_bytes: " + run.name.toStdString());
  std::map<int, std::vector<std::string>> rows;
  const auto row = [&](int tokens) -> std::vector<std::string>& {
    auto& cells = rows[tokens];
    cells.resize(table.columns.size());
    return cells;
  };
  if (s.steps)
    for (const Step& step : *s.steps) {
      row(step.tokens)[1] = std::to_string(step.cache_bytes);
      row(step.tokens)[2] = std::to_string(step.cache_allocated_bytes);
    }
  for (std::size_t i = 0; i < s.pinned.size(); ++i)
    if (s.pinned[i].steps)
      for (const Step& step : *s.pinned[i].steps) row(step.tokens)[3 + lines.size() + i] = std::to_string(step.cache_bytes);
  for (auto& [tokens, cells] : rows) {
    cells[0] = std::to_string(tokens);
    for (std::size_t i = 0; i < lines.size(); ++i) cells[3 + i] = csv_number(tokens * bytesPerToken(lines[i], s.experiment));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace mla::ui
