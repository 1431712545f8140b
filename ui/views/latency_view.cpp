#include "ui/views/latency_view.h"

#include <algorithm>

#include "core/spec/format.h"

namespace mla::ui {
namespace {

double milliseconds(const Step& step) { return step.ms; }

QString inMs(double ms) { return QString::fromStdString(format_ms(ms)); }

QList<QPointF> rooflineOf(const std::vector<Step>& steps) {
  QList<QPointF> points;
  for (const Step& step : steps)
    if (step.roofline_ms > 0) points.append({double(step.tokens), step.roofline_ms});
  return points;
}

double largest(const QList<QPointF>& points) {
  double most = 0;
  for (const QPointF& p : points) most = std::max(most, p.y());
  return most;
}

QString headlineOf(const StepCurve& ms, const QList<QPointF>& roofline) {
  if (ms.raw().isEmpty()) return {};
  const QString median = LatencyView::tr("%1/token median").arg(inMs(ms.median().back().y()));
  if (roofline.isEmpty()) return median;
  return LatencyView::tr("%1 · roofline %2").arg(median, inMs(roofline.back().y()));
}

QString captionOf(const StepCurve& ms, double top) {
  const auto above = std::count_if(ms.raw().begin(), ms.raw().end(), [top](const QPointF& p) { return p.y() > top; });
  const QString window = LatencyView::tr("median of %1 tokens").arg(kMedianWindow);
  if (above == 0) return window;
  return LatencyView::tr("%1 · %2 above the axis, up to %3").arg(window).arg(above).arg(inMs(largest(ms.raw())));
}

}  // namespace

double robustTop(const QList<QPointF>& points) {
  if (points.isEmpty()) return 0;
  std::vector<double> values;
  values.reserve(std::size_t(points.size()));
  for (const QPointF& p : points) values.push_back(p.y());
  const auto quantile = [&values](double q) {
    const auto nth = values.begin() + std::ptrdiff_t(q * double(values.size() - 1));
    std::nth_element(values.begin(), nth, values.end());
    return *nth;
  };
  return std::min({1.3 * quantile(0.99), 5 * quantile(0.5), 1.06 * largest(points)});
}

double medianTop(const StepCurve& curve) {
  constexpr qsizetype enough = 8;
  if (curve.median().size() <= enough) return robustTop(curve.raw());
  return 1.06 * largest(curve.median().sliced(enough));
}

LatencyView::LatencyView(QWidget* parent) : ChartView(new LineChart, parent), ms_(milliseconds), pinned_(milliseconds) {
  chart().setAccessibleName(tr("Chart of milliseconds per token"));
}

ChartData LatencyView::build(const Snapshot& snapshot) const {
  static const std::vector<Step> none;
  const std::vector<Step>& steps = snapshot.steps ? *snapshot.steps : none;
  ms_.follow(snapshot.run, steps);
  const QList<QPointF> roofline = rooflineOf(steps);
  ChartData shown;
  shown.headline = headlineOf(ms_, roofline);
  shown.x = {tr("tokens"), "tokens", Unit::count, Scale::linear, {}, {}};
  shown.y = {tr("time per token"), "", Unit::ms, Scale::linear, 0.0, {}};
  if (steps.empty()) shown.empty = emptyText(snapshot);

  double top = std::max({robustTop(ms_.raw()), medianTop(ms_), 1.15 * largest(roofline)});
  shown.series.push_back({tr("median"), "median_ms", Role::measured, Stroke::bold, 0, ms_.median()});
  shown.series.push_back({tr("each token"), "ms", Role::measured, Stroke::thin, 7, ms_.raw()});
  const std::vector<const StepCurve*> pinned = pinned_.of(snapshot.pinned);
  for (std::size_t i = 0; i < pinned.size(); ++i) {
    if (pinned[i]->raw().isEmpty()) continue;
    const QString& name = snapshot.pinned[i].name;
    shown.series.push_back({tr("median: %1").arg(name), "pinned_median_ms: " + name.toStdString(), Role::measured,
                            Stroke::normal, pinnedColor(i), pinned[i]->median()});
    top = std::max(top, medianTop(*pinned[i]));
  }
  if (snapshot.ceilings.measured())
    shown.series.push_back(
        {tr("roofline (from measured ceilings)"), "roofline_ms", Role::modelled, Stroke::normal, 1, roofline});
  else
    shown.legend_note = tr("roofline: ceilings not measured yet");
  if (top > 0) shown.y.max = top;
  shown.caption = captionOf(ms_, top);
  return shown;
}

}  // namespace mla::ui
