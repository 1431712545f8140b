#include "ui/charts/chart_data.h"

#include <cmath>
#include <map>

#include "core/io/csv.h"

namespace mla::ui {

Table tableOf(const ChartData& data) {
  Table table;
  table.columns.push_back(data.x.column.empty() ? data.x.title.toStdString() : data.x.column);
  for (const Series& series : data.series)
    table.columns.push_back(series.column.empty() ? series.name.toStdString() : series.column);
  std::map<double, std::vector<std::string>> rows;
  for (std::size_t column = 0; column < data.series.size(); ++column)
    for (const QPointF& point : data.series[column].points) {
      if (std::isnan(point.x())) continue;
      auto& row = rows[point.x()];
      row.resize(data.series.size());
      row[column] = csv_number(point.y());
    }
  for (auto& [x, row] : rows) {
    row.insert(row.begin(), csv_number(x));
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace mla::ui
