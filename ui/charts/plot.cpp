#include "ui/charts/plot.h"

#include <QAreaSeries>
#include <QChart>
#include <QGraphicsScene>
#include <QLineSeries>
#include <QValueAxis>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

/// One curve and, where it is an area, its filling.
struct Drawn {
  QLineSeries* line = nullptr;
  QAreaSeries* area = nullptr;
};

/// Where a value lies on an axis: 0 at its beginning, 1 at its end.
class Share {
 public:
  Share(Range range, Scale scale) : log_(scale == Scale::log), min_(of(range.min)), width_(of(range.max) - min_) {}
  double operator()(double value) const { return (of(value) - min_) / width_; }

 private:
  double of(double value) const { return log_ ? std::log10(value) : value; }
  bool log_;
  double min_, width_;
};

/// Solid for what was measured, else dashes, while colours last; each time they have all been used, one dot more after a
/// dash.
QList<qreal> dashesOf(const Series& series) {
  const int round = std::max(0, series.color) / kSeriesColors;
  const bool measured = series.role == Role::measured;
  if (measured && round == 0) return {};
  constexpr qreal gap = 1.6;
  QList<qreal> dashes = measured ? QList<qreal>{9, gap} : QList<qreal>{4, round == 0 ? 2.4 : gap};
  for (int dot = 0; dot < round; ++dot) dashes << 1 << gap;
  return dashes;
}

}  // namespace

// Qt Charts computes a series anew at each change of its points and of either axis. So the axes stay from 0 to 1, and
// points come as shares of the plot: one computation a curve.
struct Plot::Private {
  QGraphicsScene scene;
  QChart* chart = new QChart;
  QValueAxis* x = new QValueAxis;
  QValueAxis* y = new QValueAxis;
  std::vector<Drawn> drawn;
  std::vector<bool> kinds;  // of the curves in `drawn`: whether each is an area
  QRectF area;

  Private();
  void rebuild(const std::vector<Curve>& curves);
  void attach(QAbstractSeries* series);
  void place(const QRectF& area);
};

Plot::Private::Private() {
  scene.setItemIndexMethod(QGraphicsScene::NoIndex);
  scene.addItem(chart);
  chart->setAnimationOptions(QChart::NoAnimation);
  chart->setBackgroundVisible(false);
  chart->setPlotAreaBackgroundVisible(false);
  chart->setMargins({});
  chart->legend()->hide();
  chart->addAxis(x, Qt::AlignBottom);
  chart->addAxis(y, Qt::AlignLeft);
  x->setVisible(false);
  y->setVisible(false);
  x->setRange(0, 1);
  y->setRange(0, 1);
}

void Plot::Private::attach(QAbstractSeries* series) {
  chart->addSeries(series);
  series->attachAxis(x);
  series->attachAxis(y);
}

void Plot::Private::place(const QRectF& where) {
  if (where == area) return;
  area = where;
  scene.setSceneRect(area);
  chart->setGeometry(area);
  chart->setPlotArea(area.translated(-area.topLeft()));
}

void Plot::Private::rebuild(const std::vector<Curve>& curves) {
  std::vector<bool> wanted;
  for (const Curve& curve : curves) wanted.push_back(curve.area);
  if (wanted == kinds) return;
  kinds = wanted;
  drawn.clear();
  chart->removeAllSeries();  // deletes the areas and lines; an area's edge belongs to nobody yet
  qDeleteAll(chart->findChildren<QLineSeries*>(Qt::FindDirectChildrenOnly));
  drawn.resize(curves.size());
  for (std::size_t i = curves.size(); i-- > 0;) {  // of areas the highest sum first: each is painted over down to its share
    if (!curves[i].area) continue;
    drawn[i].line = new QLineSeries(chart);
    attach(drawn[i].area = new QAreaSeries(drawn[i].line));
  }
  for (std::size_t i = 0; i < curves.size(); ++i)
    if (!curves[i].area) attach(drawn[i].line = new QLineSeries(chart));
}

Plot::Plot() : d_(std::make_unique<Private>()) {}
Plot::~Plot() = default;

void Plot::show(const ChartData& data, const std::vector<Curve>& curves, Range x, Range y, const QRectF& area,
                const QPalette& palette, qreal em) {
  d_->rebuild(curves);
  d_->place(area);
  const Share across(x, data.x.scale), up(y, data.y.scale);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    QList<QPointF> points = curves[i].points;
    for (QPointF& p : points) p = {across(p.x()), up(p.y())};
    const Drawn& drawn = d_->drawn[i];
    drawn.line->replace(points);
    const QPen pen = penOf(data.series[std::size_t(curves[i].series)], palette, em);
    if (drawn.area) {
      drawn.area->setPen(Qt::NoPen);  // the colours part them; an outline would be one more stroke for each
      drawn.area->setBrush(pen.color());
    } else if (drawn.line->pen() != pen) {
      drawn.line->setPen(pen);
    }
  }
}

void Plot::paint(QPainter& painter) { d_->scene.render(&painter, d_->area, d_->area, Qt::IgnoreAspectRatio); }

QPen penOf(const Series& series, const QPalette& palette, qreal em) {
  const QColor color = series.color < 0 ? palette.color(QPalette::Text) : seriesColor(series.color, isDark(palette));
  const qreal widths[] = {0.11, 0.065, 0.16};  // by Stroke, of the text's height
  QPen pen(color, em * widths[int(series.stroke)]);
  if (const QList<qreal> dashes = dashesOf(series); !dashes.isEmpty()) pen.setDashPattern(dashes);
  pen.setCapStyle(Qt::FlatCap);
  pen.setJoinStyle(Qt::RoundJoin);
  return pen;
}

}  // namespace mla::ui
