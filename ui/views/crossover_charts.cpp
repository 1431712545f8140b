#include "ui/views/crossover_charts.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "core/io/csv.h"
#include "core/spec/format.h"

namespace mla::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(mla::ui::Crossover)
};

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QString titleOf(AttentionPath path) {
  if (path == AttentionPath::absorbed) return Text::tr("absorbed");
  return path == AttentionPath::expanded ? Text::tr("expanded") : Text::tr("re-expanded");
}

int colorOf(AttentionPath path) {
  return int(std::find(kCrossoverPaths.begin(), kCrossoverPaths.end(), path) - kCrossoverPaths.begin());
}

template <class Value>
Series seriesOf(const CrossoverSweep& sweep, AttentionPath path, Role role, Value value) {
  Series series{titleOf(path), "", role, Stroke::normal, colorOf(path)};
  for (const CrossoverPoint& point : sweep.points)
    if (point.path == path && value(point) > 0) series.points.append({double(point.x), value(point)});
  return series;
}

Axis sizeAxis(const CrossoverSweep& sweep) {
  QString title = Text::tr("cached tokens");
  if (sweep.kind == SweepKind::prefill) title = Text::tr("tokens of the prompt");
  if (sweep.kind == SweepKind::batch)
    title = Text::tr("sequences, %1 cached tokens each").arg(text(format_count(sweep.tokens)));
  Axis axis{title, "", Unit::count, Scale::log, {}, {}};
  const auto [least, most] =
      std::minmax_element(sweep.points.begin(), sweep.points.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
  if (sweep.points.empty() || least->x == most->x) return axis;
  axis.min = least->x / 1.04;  // air for the dots
  axis.max = most->x * 1.04;
  return axis;
}

Marker markerOf(const Crossing& crossing, Role role) {
  const QString at = text(format_crossing(crossing.x));
  const QString words = role == Role::measured ? Text::tr("%1: %2 beats %3") : Text::tr("model %1: %2 beats %3");
  return {crossing.x, words.arg(at, titleOf(crossing.after), titleOf(crossing.before)), role};
}

/// Room above the lines for the markers' labels.
void makeRoom(ChartData& shown) {
  if (shown.markers.empty()) return;
  double low = INFINITY, high = 0;
  for (const Series& series : shown.series)
    for (const QPointF& point : series.points) {
      low = std::min(low, point.y());
      high = std::max(high, point.y());
    }
  if (high > 0)
    shown.y.max = 1.3 * high * std::pow(high / low, 0.1 * double(std::min<std::size_t>(3, shown.markers.size())));
}

/// What the modelled times are made from.
QString modelOf(const Crossover& crossover) {
  const Ceilings& c = crossover.ceilings;
  const bool gpu = crossover.experiment.backend != "cpu";
  if (!c.measured())
    return gpu ? Text::tr("not modelled: the GPU's ceilings were not measured")
               : Text::tr("not modelled: the processor's ceilings were not measured");
  QString rates = text(format_si(c.fp32_gflop_s * 1e9, "FLOP/s"));
  if (gpu)
    rates += c.bf16_gflop_s > 0 ? Text::tr(" (matrix units %1)").arg(text(format_si(c.bf16_gflop_s * 1e9, "FLOP/s")))
                                : Text::tr(" (matrix units not measured)");
  const QString where = gpu ? Text::tr("measured on the GPU") : Text::tr("measured here");
  return Text::tr("modelled: roofline at %1 and %2, %3").arg(text(format_si(c.read_gb_s * 1e9, "B/s")), rates, where);
}

QString captionOf(const Crossover& crossover, const CrossoverSweep& sweep) {
  const Experiment& e = crossover.experiment;
  QString caption = Text::tr("attention of the %1, %2 cache", nullptr)
                        .arg(e.layers == 1 ? Text::tr("one layer that runs") : Text::tr("%1 layers that run").arg(e.layers),
                             QString::fromUtf8(name_of(e.cache_dtype)));
  if (sweep.kind != SweepKind::batch && sweep.batch > 1) caption += Text::tr(", %1 sequences").arg(sweep.batch);
  if (sweep.kind == SweepKind::prefill) caption += Text::tr(", the whole prompt at once");
  caption += Text::tr("; without feed-forward and logits");
  if (!sweep.note.empty()) caption += QStringLiteral(" · ") + text(sweep.note);
  return caption + QStringLiteral(" · ") + modelOf(crossover);
}

QString residualHeadline(const CrossoverSweep& sweep) {
  double low = INFINITY, high = 0;
  for (const CrossoverPoint& point : sweep.points) {
    if (point.modelled_ms <= 0) continue;
    low = std::min(low, point.residual());
    high = std::max(high, point.residual());
  }
  if (high <= 0) return {};
  return Text::tr("Measured takes %1 to %2 the modelled time").arg(text(format_ratio(low)), text(format_ratio(high)));
}

const char* columnOf(AttentionPath path) {
  if (path == AttentionPath::reexpanded) return "reexpanded";
  return path == AttentionPath::absorbed ? "absorbed" : "expanded";
}

std::vector<std::string> crossingRow(const CrossoverSweep& sweep, const Crossing& crossing, const char* kind) {
  const bool batches = sweep.kind == SweepKind::batch;
  return {kind,
          std::string(name_of(sweep.kind)),
          batches ? std::to_string(sweep.tokens) : csv_number(crossing.x),
          batches ? csv_number(crossing.x) : std::to_string(sweep.batch),
          columnOf(crossing.after),
          columnOf(crossing.before),
          "",
          "",
          "",
          ""};
}

}  // namespace

ChartData crossoverTimes(const Crossover& crossover, SweepKind kind) {
  const CrossoverSweep& sweep = crossover.sweep(kind);
  ChartData shown;
  shown.headline = text(sweep.answer);
  shown.caption = captionOf(crossover, sweep);
  shown.x = sizeAxis(sweep);
  shown.y = {kind == SweepKind::prefill ? Text::tr("a prompt") : Text::tr("a step"), "", Unit::ms, Scale::log, {}, {}};
  for (const AttentionPath path : kCrossoverPaths)
    shown.series.push_back(seriesOf(sweep, path, Role::measured, [](const auto& p) { return p.measured_ms; }));
  for (const AttentionPath path : kCrossoverPaths)
    shown.series.push_back(seriesOf(sweep, path, Role::modelled, [](const auto& p) { return p.modelled_ms; }));
  for (const Crossing& crossing : sweep.measured) shown.markers.push_back(markerOf(crossing, Role::measured));
  for (const Crossing& crossing : sweep.modelled) shown.markers.push_back(markerOf(crossing, Role::modelled));
  makeRoom(shown);
  return shown;
}

ChartData crossoverResiduals(const Crossover& crossover, SweepKind kind) {
  const CrossoverSweep& sweep = crossover.sweep(kind);
  ChartData shown;
  shown.headline = residualHeadline(sweep);
  shown.x = sizeAxis(sweep);
  shown.y = {Text::tr("measured / modelled"), "", Unit::number, Scale::log, {}, {}};
  for (const AttentionPath path : kCrossoverPaths) {
    const auto residual = [](const CrossoverPoint& p) { return p.modelled_ms > 0 ? p.residual() : 0; };
    shown.series.push_back(seriesOf(sweep, path, Role::measured, residual));
  }
  if (shown.x.min)
    shown.series.push_back(
        {Text::tr("as modelled"), "", Role::modelled, Stroke::thin, -1, {{*shown.x.min, 1}, {*shown.x.max, 1}}});
  return shown;
}

Table crossoverTable(const Crossover& crossover) {
  Table table{{"kind", "sweep", "tokens", "batch", "path", "faster_before", "steps", "measured_ms", "modelled_ms",
               "measured_over_modelled"},
              {}};
  for (const CrossoverSweep& sweep : crossover.sweeps)
    for (const CrossoverPoint& p : sweep.points) {
      const bool batches = sweep.kind == SweepKind::batch;
      table.rows.push_back({"point", std::string(name_of(sweep.kind)), std::to_string(batches ? sweep.tokens : p.x),
                            std::to_string(batches ? p.x : sweep.batch), columnOf(p.path), "", std::to_string(p.steps),
                            csv_number(p.measured_ms), csv_number(p.modelled_ms), csv_number(p.residual())});
    }
  for (const CrossoverSweep& sweep : crossover.sweeps) {
    for (const Crossing& crossing : sweep.measured) table.rows.push_back(crossingRow(sweep, crossing, "measured_crossing"));
    for (const Crossing& crossing : sweep.modelled) table.rows.push_back(crossingRow(sweep, crossing, "modelled_crossing"));
  }
  return table;
}

}  // namespace mla::ui
