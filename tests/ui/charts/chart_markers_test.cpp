#include "ui/charts/chart_markers.h"

#include <gtest/gtest.h>

#include <QApplication>

namespace mla::ui {
namespace {

ChartData sampleData(std::vector<Marker> markers) {
  ChartData data;
  data.x = {"tokens", "", Unit::count, Scale::log, 64.0, 4096.0};
  data.y = {"time", "", Unit::ms, Scale::log, {}, {}};
  data.series = {{"a", "", Role::measured, Stroke::normal, 0, {{64, 1}, {4096, 10}}}};
  data.markers = std::move(markers);
  return data;
}

ChartLayout layoutOf(const ChartData& data, const QSizeF& size = {700, 500}) {
  return arrange(data, ChartKind::lines, size, QApplication::font());
}

TEST(ChartMarkers, LabelsStandInThePlotAndCoverNoOther) {
  const ChartData data =
      sampleData({{500, "500: absorbed beats expanded"}, {520, "model 520: absorbed beats expanded"}, {4090, "the last"}});
  const ChartLayout layout = layoutOf(data);
  const std::vector<MarkerLabel> labels = markerLabels(data, layout);
  ASSERT_EQ(labels.size(), 3u);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    EXPECT_FALSE(labels[i].text.isEmpty()) << i;
    EXPECT_TRUE(layout.plot.adjusted(-1, 0, 1, 0).contains(labels[i].box)) << i;
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(labels[i].box.intersects(labels[j].box)) << i << j;
  }
  EXPECT_LT(labels[2].box.right(), layout.pixel({4090, 1}).x()) << "left of its line";
}

TEST(ChartMarkers, WhatIsOutsideOrHasNoRoomHasNoLabel) {
  const ChartData outside = sampleData({{10, "before"}, {9000, "behind"}});
  for (const MarkerLabel& label : markerLabels(outside, layoutOf(outside))) EXPECT_TRUE(label.text.isEmpty());
  const ChartData many = sampleData(std::vector<Marker>(40, Marker{500, "the same place again"}));
  const std::vector<MarkerLabel> labels = markerLabels(many, layoutOf(many, {300, 200}));
  EXPECT_FALSE(labels.front().text.isEmpty());
  EXPECT_TRUE(labels.back().text.isEmpty());
}

}  // namespace
}  // namespace mla::ui
