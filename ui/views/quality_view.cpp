#include "ui/views/quality_view.h"

#include <algorithm>
#include <map>

#include "core/io/csv.h"
#include "core/spec/format.h"
#include "ui/views/variant_colors.h"

namespace mla::ui {
namespace {

using Points = std::vector<QualityPoint>;

const Points& pointsOf(const Snapshot& snapshot) {
  static const Points none;
  return snapshot.quality_curve ? *snapshot.quality_curve : none;
}

bool measured(const QualityPoint& point) { return point.bits_per_byte > 0; }

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QString bytesText(const QualityPoint& point) { return text(format_bytes(point.bytes_per_token)); }

/// One curve a model, by bytes; what is not measured yet is left out.
std::vector<Series> seriesOf(const Points& points) {
  std::vector<Series> all;
  std::map<std::string, std::size_t> by_curve;
  for (const QualityPoint& point : points) {
    const auto [it, fresh] = by_curve.try_emplace(point.curve, all.size());
    if (fresh) {
      const AttentionSpec& attention = point.experiment.spec.attention;
      const QString name = attention.elastic ? text(point.curve) : text(point.name);
      all.push_back({name, "", Role::measured, Stroke::normal, variantColor(attention.variant, 0)});
    }
    if (measured(point)) all[it->second].points.append({double(point.bytes_per_token), point.bits_per_byte});
  }
  for (Series& series : all)
    std::sort(series.points.begin(), series.points.end(), [](const QPointF& a, const QPointF& b) { return a.x() < b.x(); });
  return all;
}

/// The largest model's point among the measured plain ones, and the smallest latent that predicts as well.
QString bargain(const Points& points) {
  const QualityPoint* plain = nullptr;
  for (const QualityPoint& point : points)
    if (measured(point) && !point.experiment.spec.attention.is_mla() &&
        (!plain || point.bytes_per_token > plain->bytes_per_token))
      plain = &point;
  const QualityPoint* latent = nullptr;
  for (const QualityPoint& point : points)
    if (plain && measured(point) && point.experiment.spec.attention.is_mla() &&
        point.bits_per_byte <= plain->bits_per_byte && (!latent || point.bytes_per_token < latent->bytes_per_token))
      latent = &point;
  if (!latent || latent->bytes_per_token >= plain->bytes_per_token) return {};
  return QualityView::tr("MLA with %1 predicts as well as %2 in %3 of its bytes")
      .arg(text(latent->name), text(plain->name),
           QStringLiteral("1/%1").arg(double(plain->bytes_per_token) / double(latent->bytes_per_token), 0, 'f', 1));
}

QString headlineOf(const Points& points) {
  if (const QString text = bargain(points); !text.isEmpty()) return text;
  const auto present = std::find_if(points.begin(), points.end(), [](const QualityPoint& p) { return p.present; });
  if (present == points.end() || !measured(*present)) return {};
  return QualityView::tr("%1 bits/byte at %2 a token").arg(present->bits_per_byte, 0, 'f', 3).arg(bytesText(*present));
}

QString captionOf(const Points& points) {
  const auto missing = std::count_if(points.begin(), points.end(), [](const auto& p) { return !measured(p); });
  QString caption = QualityView::tr("measured on the held-out excerpt; lower is better");
  if (missing > 0) caption += QualityView::tr(" · %1 of %2 points still to be measured").arg(missing).arg(points.size());
  return caption;
}

/// A little room around what was measured: what matters is the difference, not the distance to 0.
void frame(ChartData& shown, const Points& points) {
  double low = 0, high = 0, least = 0, most = 0;
  for (const QualityPoint& point : points) {
    least = least == 0 ? double(point.bytes_per_token) : std::min(least, double(point.bytes_per_token));
    most = std::max(most, double(point.bytes_per_token));
    if (!measured(point)) continue;
    low = low == 0 ? point.bits_per_byte : std::min(low, point.bits_per_byte);
    high = std::max(high, point.bits_per_byte);
  }
  if (most > 0) {
    shown.x.min = least / 1.15;
    shown.x.max = most * 1.15;
  }
  if (high == 0) return;
  const double room = std::max(0.02, 0.12 * (high - low));
  shown.y.min = low - room;
  shown.y.max = high + room;
}

QString emptyReason(const Snapshot& snapshot) {
  const Points& points = pointsOf(snapshot);
  if (std::any_of(points.begin(), points.end(), measured)) return {};
  if (snapshot.run > 0 && snapshot.random_weights)
    return QualityView::tr("random weights have no quality: choose a trained model");
  for (const QualityPoint& point : points)
    if (!point.error.empty()) return text(point.error);
  if (snapshot.state == Snapshot::State::failed) return snapshot.error;
  return points.empty() ? QualityView::tr("not measured: the model has no vocabulary, or nobody asked yet")
                        : QualityView::tr("measuring…");
}

}  // namespace

QualityView::QualityView(QWidget* parent) : ChartView(new LineChart, parent) {
  chart().setAccessibleName(tr("Chart of bits per byte against cache bytes per token"));
}

ChartData QualityView::build(const Snapshot& snapshot) const {
  const Points& points = pointsOf(snapshot);
  ChartData shown;
  shown.headline = headlineOf(points);
  shown.caption = captionOf(points);
  shown.empty = emptyReason(snapshot);
  shown.x = {tr("cache per token"), "bytes_per_token", Unit::bytes, Scale::log, {}, {}};
  shown.y = {tr("bits/byte"), "bits_per_byte", Unit::number, Scale::linear, {}, {}};
  shown.series = seriesOf(points);
  for (const QualityPoint& point : points)
    if (point.present && measured(point))
      shown.series.insert(
          shown.series.begin(),
          {tr("this run"), "", Role::measured, Stroke::bold, -1, {{double(point.bytes_per_token), point.bits_per_byte}}});
  frame(shown, points);
  return shown;
}

Table QualityView::table() const {
  Table table{{"model", "point", "bytes_per_token", "bits_per_byte", "this_run"}, {}};
  if (!snapshot()) return table;
  for (const QualityPoint& point : pointsOf(*snapshot()))
    table.rows.push_back({point.experiment.model, point.name, std::to_string(point.bytes_per_token),
                          measured(point) ? csv_number(point.bits_per_byte) : std::string(), point.present ? "1" : "0"});
  return table;
}

}  // namespace mla::ui
