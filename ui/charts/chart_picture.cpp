#include "ui/charts/chart_picture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/charts/chart_frame.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

/// The point of an ordered list with that x, if there is one.
std::optional<QPointF> at(const QList<QPointF>& points, double x) {
  const auto it =
      std::lower_bound(points.begin(), points.end(), x, [](const QPointF& p, double value) { return p.x() < value; });
  if (it == points.end() || it->x() != x) return std::nullopt;
  return *it;
}

qsizetype indexNear(const QList<QPointF>& points, double x) {
  const auto nearer = [x](const QPointF& a, const QPointF& b) { return std::abs(a.x() - x) < std::abs(b.x() - x); };
  return std::min_element(points.begin(), points.end(), nearer) - points.begin();
}

}  // namespace

void ChartPicture::show(const ChartData& data, const QSizeF& size, const QFont& font, const QPalette& palette,
                        qreal corner) {
  data_ = data;
  palette_ = palette;
  layout_ = arrange(data, kind_, size, font, corner);
  curves_ = curvesOf(data, kind_, layout_.x, layout_.y, std::max(1, int(layout_.plot.width())));
  plot_.show(data, curves_, layout_.x, layout_.y, layout_.plot, palette, layout_.em);
}

void ChartPicture::paint(QPainter& painter) {
  painter.save();
  painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
  paintFrame(painter, data_, layout_, palette_);
  plot_.paint(painter);
  paintFront(painter, data_, layout_, curves_, palette_);
  painter.restore();
}

Mark ChartPicture::markOf(const Curve& curve, const QPointF& drawn) const {
  const Series& series = data_.series[std::size_t(curve.series)];
  Mark mark{curve.series, at(series.points, drawn.x()).value_or(drawn), layout_.pixel(drawn), {}};
  mark.text =
      QStringLiteral("%1\n%2 %3 · %4")
          .arg(series.name, exactText(mark.value.x(), data_.x.unit), data_.x.title, exactText(mark.value.y(), data_.y.unit));
  return mark;
}

std::optional<Mark> ChartPicture::nearest(const QPointF& position) const {
  std::optional<Mark> best;
  double best_distance = std::numeric_limits<double>::infinity();
  const auto consider = [&](const Curve& curve, const QPointF& drawn, double distance) {
    if (distance >= best_distance) return;
    best_distance = distance;
    best = markOf(curve, drawn);
  };
  for (const Curve& curve : curves_) {
    if (curve.area && !curve.points.isEmpty()) {  // the lowest edge at or above the position
      const QPointF& edge =
          curve.points[indexNear(curve.points, layout_.x.min + (position.x() - layout_.plot.left()) / layout_.plot.width() *
                                                                   (layout_.x.max - layout_.x.min))];
      const double above = position.y() - layout_.pixel(edge).y();
      if (above >= 0) consider(curve, edge, above);
      continue;
    }
    for (const QPointF& point : curve.points) {
      const QPointF d = layout_.pixel(point) - position;
      consider(curve, point, std::hypot(d.x(), d.y()));
    }
  }
  return best;
}

std::optional<Mark> ChartPicture::moved(const Mark& mark, int points, int series) const {
  std::vector<const Curve*> shown;
  for (const Curve& curve : curves_)
    if (!curve.points.isEmpty()) shown.push_back(&curve);
  if (shown.empty()) return std::nullopt;
  const auto same = std::find_if(shown.begin(), shown.end(), [&](const Curve* c) { return c->series == mark.series; });
  const auto from = same == shown.end() ? 0 : int(same - shown.begin());
  const int count = int(shown.size());
  const Curve& curve = *shown[std::size_t(((from + series) % count + count) % count)];
  const qsizetype index = indexNear(curve.points, mark.value.x()) + points;
  return markOf(curve, curve.points[std::clamp<qsizetype>(index, 0, curve.points.size() - 1)]);
}

void ChartPicture::paintMark(QPainter& painter, const Mark& mark) const {
  const QRectF& plot = layout_.plot;
  const QColor text = palette_.color(QPalette::Text);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(mutedText(palette_), 1, Qt::DotLine));
  painter.drawLine(QPointF(mark.pixel.x(), plot.top()), QPointF(mark.pixel.x(), plot.bottom()));
  painter.setPen(QPen(text, 1.5));
  painter.setBrush(palette_.color(QPalette::Base));
  painter.drawEllipse(mark.pixel, 0.22 * layout_.em, 0.22 * layout_.em);

  painter.setFont(layout_.small);
  const QFontMetricsF metrics(layout_.small);
  QRectF box = metrics.boundingRect(QRectF(0, 0, layout_.size.width(), 1e3), Qt::AlignLeft, mark.text);
  const qreal pad = 0.4 * metrics.height();
  box.adjust(-pad, -pad * 0.6, pad, pad * 0.6);
  const bool left = mark.pixel.x() + box.width() + 2 * pad > layout_.size.width();
  const qreal x = left ? mark.pixel.x() - box.width() - pad : mark.pixel.x() + pad;
  const qreal y =
      std::clamp(mark.pixel.y() - box.height() - pad, plot.top(), std::max(plot.top(), plot.bottom() - box.height()));
  box.moveTopLeft({std::clamp(x, 0.0, std::max(0.0, layout_.size.width() - box.width())), y});
  painter.setPen(QPen(gridLine(palette_), 1));
  painter.setBrush(blend(palette_.color(QPalette::Base), text, 0.06));
  painter.drawRoundedRect(box, 3, 3);
  painter.setPen(text);
  painter.drawText(box.adjusted(pad, 0, -pad + 2, 0), Qt::AlignLeft | Qt::AlignVCenter, mark.text);
}

}  // namespace mla::ui
