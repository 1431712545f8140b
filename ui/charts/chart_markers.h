#pragma once

#include <QPainter>
#include <QPalette>
#include <vector>

#include "ui/charts/chart_layout.h"

namespace mla::ui {

/// Where the label of a marker stands; empty where there was no room for it.
struct MarkerLabel {
  QRectF box;
  QString text;
};

/// One for every marker, in their order: beside its line, in the highest row where it covers no other. Those outside the x
/// axis, and those for which the upper third of the plot has no row left, have none.
std::vector<MarkerLabel> markerLabels(const ChartData& data, const ChartLayout& layout);

void paintMarkers(QPainter& painter, const ChartData& data, const ChartLayout& layout, const QPalette& palette);

}  // namespace mla::ui
