#include "ui/charts/plot.h"

#include <QAreaSeries>
#include <QChart>
#include <QGraphicsScene>
#include <QLineSeries>
#include <QValueAxis>
#include <cmath>

#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

/// One curve and, where it is an area, its filling.
struct Drawn {
  QLineSeries* line = nullptr;
  QAreaSeries* area = nullptr;
};

}  // namespace

struct Plot::Private {
  QGraphicsScene scene;
  QChart* chart = new QChart;
  QValueAxis* x = new QValueAxis;
  QValueAxis* y = new QValueAxis;
  std::vector<Drawn> drawn;
  std::vector<bool> kinds;  // of the curves in `drawn`: whether each is an area
  QLineSeries* floor = nullptr;
  QRectF area;

  Private();
  void rebuild(const std::vector<Curve>& curves);
  void attach(QAbstractSeries* series);
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
}

void Plot::Private::attach(QAbstractSeries* series) {
  chart->addSeries(series);
  series->attachAxis(x);
  series->attachAxis(y);
}

void Plot::Private::rebuild(const std::vector<Curve>& curves) {
  std::vector<bool> wanted;
  for (const Curve& curve : curves) wanted.push_back(curve.area);
  if (wanted == kinds) return;
  kinds = wanted;
  drawn.clear();
  chart->removeAllSeries();  // deletes the areas and lines; an area's edges belong to nobody yet
  qDeleteAll(chart->findChildren<QLineSeries*>(Qt::FindDirectChildrenOnly));
  floor = new QLineSeries(chart);
  QLineSeries* below = floor;
  for (const Curve& curve : curves) {
    Drawn d{new QLineSeries(chart), nullptr};
    if (curve.area) {
      d.area = new QAreaSeries(d.line, below);
      below = d.line;
      attach(d.area);
    } else {
      attach(d.line);
    }
    drawn.push_back(d);
  }
}

Plot::Plot() : d_(std::make_unique<Private>()) {}
Plot::~Plot() = default;

void Plot::show(const ChartData& data, const std::vector<Curve>& curves, Range x, Range y, const QRectF& area,
                const QPalette& palette, qreal em) {
  const bool log_x = data.x.scale == Scale::log, log_y = data.y.scale == Scale::log;
  const auto mapped = [](bool log, double value) { return log ? std::log10(value) : value; };
  d_->area = area;
  d_->rebuild(curves);
  d_->scene.setSceneRect(area);
  d_->chart->setGeometry(area);
  d_->chart->setPlotArea(area.translated(-area.topLeft()));
  d_->x->setRange(mapped(log_x, x.min), mapped(log_x, x.max));
  d_->y->setRange(mapped(log_y, y.min), mapped(log_y, y.max));
  d_->floor->replace(QList<QPointF>{{mapped(log_x, x.min), 0}, {mapped(log_x, x.max), 0}});
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const Series& series = data.series[std::size_t(curves[i].series)];
    QList<QPointF> points = curves[i].points;
    if (log_x || log_y)
      for (QPointF& p : points) p = {mapped(log_x, p.x()), mapped(log_y, p.y())};
    const Drawn& drawn = d_->drawn[i];
    drawn.line->replace(points);
    const QPen pen = penOf(series, palette, em);
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
  if (series.role != Role::measured) pen.setDashPattern({4, 2.4});
  pen.setCapStyle(Qt::FlatCap);
  pen.setJoinStyle(Qt::RoundJoin);
  return pen;
}

}  // namespace mla::ui
