#include "ui/views/rank_charts.h"

#include <QCoreApplication>
#include <algorithm>
#include <numeric>

#include "core/io/csv.h"
#include "core/spec/format.h"

namespace mla::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(mla::ui::Rank)
};

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

double lowest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::min_element(values.begin(), values.end());
}

double highest(const std::vector<double>& values) {
  return values.empty() ? 0 : *std::max_element(values.begin(), values.end());
}

/// Points of the curve by rising rank.
template <class Value>
QList<QPointF> pointsOf(const RankCurve& curve, Value value) {
  QList<QPointF> points;
  for (const RankPoint& point : curve.points) points.append({double(point.rank), value(point)});
  std::sort(points.begin(), points.end(), [](const QPointF& a, const QPointF& b) { return a.x() < b.x(); });
  return points;
}

Axis rankAxis(const RankCurve& curve) {
  return {Text::tr("values kept a token (rank)"), "rank", Unit::count, Scale::log, 1.0,
          double(std::max(2, curve.full_rank))};
}

const RankPoint* pointAt(const RankCurve& curve, double share) {
  const RankPoint* best = nullptr;  // the least rank that keeps that share of the energy
  for (const RankPoint& point : curve.points)
    if (mean(point.energy_kept) >= share && (!best || point.rank < best->rank)) best = &point;
  return best;
}

QString measuredOn(const RankCurve& curve) {
  if (curve.points.empty()) return {};
  const QString count = text(format_count(curve.points.front().tokens));
  if (curve.text.empty()) return Text::tr("measured on %1 predicted tokens").arg(count);
  return Text::tr("measured on %1 predicted tokens of %2").arg(count, text(curve.text));
}

}  // namespace

ChartData rankShares(const RankCurve& curve) {
  ChartData shown;
  if (const RankPoint* point = pointAt(curve, 0.9))
    shown.headline = Text::tr("90 % of the energy is kept from rank %1 of %2 on").arg(point->rank).arg(curve.full_rank);
  shown.x = rankAxis(curve);
  shown.y = {Text::tr("share"), "", Unit::number, Scale::linear, 0.0, 1.0};
  const auto add = [&](const QString& name, const char* column, Stroke stroke, int color, auto value) {
    shown.series.push_back({name, column, Role::measured, stroke, color, pointsOf(curve, value)});
  };
  add(Text::tr("energy kept, mean of layers"), "energy_kept_mean", Stroke::bold, 0,
      [](const RankPoint& p) { return mean(p.energy_kept); });
  add(Text::tr("energy kept, worst layer"), "energy_kept_min", Stroke::thin, 0,
      [](const RankPoint& p) { return lowest(p.energy_kept); });
  add(Text::tr("attention moved, mean of layers"), "map_change_mean", Stroke::bold, 1,
      [](const RankPoint& p) { return mean(p.map_change); });
  add(Text::tr("attention moved, worst layer"), "map_change_max", Stroke::thin, 1,
      [](const RankPoint& p) { return highest(p.map_change); });
  shown.caption = Text::tr("energy: squared singular values · attention moved: total variation distance per head");
  return shown;
}

ChartData rankBits(const RankCurve& curve) {
  ChartData shown;
  if (!curve.points.empty())
    shown.headline = Text::tr("full model: %1 bits per token · %2 per token")
                         .arg(curve.points.front().full_bits, 0, 'f', 3)
                         .arg(text(format_bytes(curve.full_bytes_per_token)));
  shown.x = rankAxis(curve);
  shown.y = {Text::tr("bits per token"), "", Unit::number, Scale::linear, {}, {}};
  shown.series.push_back({Text::tr("KL(full‖truncated)"), "kl_bits", Role::measured, Stroke::bold, 2,
                          pointsOf(curve, [](const RankPoint& p) { return p.kl_bits; })});
  shown.series.push_back({Text::tr("more than the full model needs"), "extra_bits", Role::measured, Stroke::normal, 5,
                          pointsOf(curve, [](const RankPoint& p) { return p.bits - p.full_bits; })});
  shown.caption = measuredOn(curve);
  return shown;
}

Table rankTable(const RankCurve& curve) {
  Table table{{"rank", "bytes_per_token", "kl_bits", "bits", "full_bits", "tokens"}, {}};
  const std::size_t layers = curve.points.empty() ? 0 : curve.points.front().energy_kept.size();
  for (const char* name : {"energy_kept_layer_", "map_change_layer_"})
    for (std::size_t l = 0; l < layers; ++l) table.columns.push_back(name + std::to_string(l));
  for (const RankPoint& p : curve.points) {
    std::vector<std::string> row{std::to_string(p.rank), std::to_string(p.bytes_per_token), csv_number(p.kl_bits),
                                 csv_number(p.bits),     csv_number(p.full_bits),           std::to_string(p.tokens)};
    for (const auto* values : {&p.energy_kept, &p.map_change})
      for (const double value : *values) row.push_back(csv_number(value));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace mla::ui
