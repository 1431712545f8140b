#include "app/window/sweep_charts.h"

#include <QApplication>
#include <QCoreApplication>

#include "app/window/headless.h"
#include "core/spec/presets.h"
#include "ui/charts/chart.h"
#include "ui/export/exporter.h"
#include "ui/theme/theme.h"

namespace mla {
namespace {

constexpr QSize kSize{960, 600};
constexpr double kPngScale = 2;

QString tr(const char* text) { return QCoreApplication::translate("SweepCharts", text); }

/// "kv-lora-rank 2 · heads 8"
QString name_of_point(const SweepPlan& plan, const SweepPoint& point) {
  QStringList parts;
  for (std::size_t i = 0; i < plan.axes.size(); ++i) {
    parts << QString::fromStdString(plan.axes[i].name) + ' ' + QString::fromStdString(point.values[i]);
  }
  return parts.join(QStringLiteral(" · "));
}

QString caption_of(const Experiment& base) {
  const Result<Preset> preset = find_preset(base.preset);
  const std::string start = preset ? preset->title : describe(base);
  QString caption = tr("All else as in: %1").arg(QString::fromStdString(start));
  if (base.model.empty()) caption += tr(", random weights");
  if (base.preset != "tutorial") return caption;
  return caption + tr(". Tokens are counted one by one; the tutorial's own listing labels them 1,\u00a011,\u00a0…\u00a091.");
}

/// A chart of one value of every step, a line for every point.
template <class Value>
ui::ChartData chart_of(const SweepPlan& plan, const std::vector<SweepRun>& runs, Value value) {
  ui::ChartData data;
  data.x.title = tr("tokens in the cache");
  data.x.column = "tokens";
  data.x.unit = ui::Unit::count;
  for (const SweepRun& run : runs) {
    ui::Series series;
    series.name = name_of_point(plan, run.point);
    series.column = series.name.toStdString();
    series.color = int(data.series.size());
    for (const SweepStep& step : run.steps) series.points << QPointF(step.tokens, value(step));
    data.series.push_back(std::move(series));
  }
  data.caption = caption_of(plan.base);
  return data;
}

ui::ChartData cache_chart(const SweepPlan& plan, const std::vector<SweepRun>& runs) {
  ui::ChartData data = chart_of(plan, runs, [](const SweepStep& step) { return double(step.cache_values); });
  data.headline = tr("Values in the cache against tokens");
  data.y.title = tr("values cached");
  data.y.column = "cache_values";
  data.y.unit = ui::Unit::count;
  data.y.min = 0;
  return data;
}

ui::ChartData latency_chart(const SweepPlan& plan, const std::vector<SweepRun>& runs) {
  ui::ChartData data = chart_of(plan, runs, [](const SweepStep& step) { return step.ms / 1000; });
  data.headline = tr("Time of each token, measured on this machine");
  data.y.title = tr("seconds per token");
  data.y.column = "seconds";
  data.y.min = 0;
  return data;
}

Status write_chart(const std::string& folder, const QString& name, ui::ChartData data) {
  ui::LineChart chart;
  chart.setData(std::move(data));
  for (const char* suffix : {"png", "svg", "pdf"}) {
    const QString path = QString::fromStdString(folder) + '/' + name + '.' + suffix;
    const Status written = ui::exportPainted(path, kSize, kPngScale, std::nullopt,
                                             [&](QPainter& painter, QSizeF size) { chart.paintTo(painter, size); });
    if (!written) return written;
  }
  return {};
}

}  // namespace

Status write_sweep_charts(const std::string& folder, const SweepPlan& plan, const std::vector<SweepRun>& runs) {
  HeadlessApplication application;
  ui::applyTheme(*qApp, ui::ThemeChoice::light);
  if (const Status cache = write_chart(folder, "cache", cache_chart(plan, runs)); !cache) return cache;
  return write_chart(folder, "latency", latency_chart(plan, runs));
}

}  // namespace mla
