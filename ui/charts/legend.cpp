#include "ui/charts/legend.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <algorithm>

#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

QString headingOf(Role role) {
  switch (role) {
    case Role::measured:
      return QCoreApplication::translate("Chart", "measured:");
    case Role::formula:
      return QCoreApplication::translate("Chart", "by formula:");
    case Role::modelled:
      break;
  }
  return QCoreApplication::translate("Chart", "modelled:");
}

/// What the legend says, in order, not yet placed.
std::vector<LegendItem> wordsOf(const ChartData& data, ChartKind kind) {
  const bool headings = std::any_of(data.series.begin(), data.series.end(),
                                    [](const Series& series) { return series.role != Role::measured; });
  std::vector<LegendItem> items;
  for (const Role role : {Role::measured, Role::formula, Role::modelled}) {
    bool first = true;
    for (std::size_t i = 0; i < data.series.size(); ++i) {
      const Series& series = data.series[i];
      if (series.role != role || series.name.isEmpty()) continue;
      if (first && headings) items.push_back({-1, false, headingOf(role), {}, {}});
      first = false;
      items.push_back({int(i), kind == ChartKind::stack && series.stacked, series.name, {}, {}});
    }
  }
  if (!data.legend_note.isEmpty()) items.push_back({-1, false, data.legend_note, {}, {}});
  return items;
}

/// Places items one after the other, line by line.
class Flow {
 public:
  Flow(const ChartData& data, const QRectF& area, const QFont& font, int rows)
      : data_(data), area_(area), metrics_(font), rows_(rows), x_(area.left()) {}

  /// Gives the item its rectangles; false where no line is left. `follower`: width of what may not be parted from it;
  /// `keep`: width that has to stay free in the last line.
  bool place(LegendItem& item, qreal follower, qreal keep) {
    const qreal line = metrics_.height();
    const qreal sample = sampleOf(item), gap = gapOf(item);
    const bool last = row_ == rows_ - 1;
    qreal room = area_.right() - x_ - (last ? keep : 0);
    const qreal text = metrics_.horizontalAdvance(item.text) + 1;
    if (sample + gap + text + follower > room && x_ > area_.left()) {
      if (last) return false;
      ++row_;
      x_ = area_.left();
      room = area_.width() - (row_ == rows_ - 1 ? keep : 0);
    }
    const qreal y = area_.top() + row_ * metrics_.lineSpacing() * 1.08;
    item.text = metrics_.elidedText(item.text, Qt::ElideRight, room - sample - gap);
    if (item.series >= 0) item.sample = {x_, y, sample, line};
    item.label = {x_ + sample + gap, y, std::min(text, room - sample - gap), line};
    x_ = item.label.right() + spaceAfter(item);
    return true;
  }
  qreal height() const { return (row_ + 1) * metrics_.lineSpacing() * 1.08; }
  qreal widthOf(const LegendItem& item) const {
    return sampleOf(item) + gapOf(item) + metrics_.horizontalAdvance(item.text) + 1 + spaceAfter(item);
  }

 private:
  /// Wide enough for a whole pattern of dashes and dots.
  qreal sampleOf(const LegendItem& item) const {
    if (item.series < 0) return 0;
    const int round = std::max(0, data_.series[std::size_t(item.series)].color) / kSeriesColors;
    return (item.area ? 0.8 : 1.7 + 0.4 * round) * metrics_.height();
  }
  qreal gapOf(const LegendItem& item) const { return item.series < 0 ? 0 : 0.3 * metrics_.height(); }
  qreal spaceAfter(const LegendItem& item) const { return (item.series < 0 ? 0.45 : 0.9) * metrics_.height(); }

  const ChartData& data_;
  QRectF area_;
  QFontMetricsF metrics_;
  int rows_, row_ = 0;
  qreal x_;
};

}  // namespace

Legend arrangeLegend(const ChartData& data, ChartKind kind, const QRectF& area, const QFont& font, int rows) {
  Legend legend;
  std::vector<LegendItem> items = wordsOf(data, kind);
  if (items.empty()) return legend;
  Flow flow(data, area, font, rows);
  const auto more = [](std::size_t count) {
    return LegendItem{-1, false, QCoreApplication::translate("Chart", "+ %1 more").arg(count), {}, {}};
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    const bool final = i + 1 == items.size();
    const bool heads = items[i].series < 0 && !final;
    if (flow.place(items[i], heads ? flow.widthOf(items[i + 1]) : 0, final ? 0 : flow.widthOf(more(99)))) {
      legend.items.push_back(items[i]);
      continue;
    }
    LegendItem rest = more(items.size() - i);
    if (flow.place(rest, 0, 0)) legend.items.push_back(rest);
    break;
  }
  legend.height = flow.height();
  return legend;
}

}  // namespace mla::ui
