#include "ui/views/rank_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/ui/charts/painting.h"
#include "ui/views/rank_charts.h"

namespace mla::ui {
namespace {

RankPoint point(int rank, std::vector<double> energy, std::vector<double> change, double kl, double bits) {
  return {rank, rank * 8, std::move(energy), std::move(change), kl, bits, 1.5, 127};
}

std::shared_ptr<const RankCurve> sampleCurve() {
  RankCurve curve;
  curve.full_rank = 16;
  curve.full_bytes_per_token = 128;
  curve.points = {point(16, {1, 1}, {0, 0}, 0, 1.5), point(4, {0.96, 0.9}, {0.1, 0.2}, 0.25, 1.7),
                  point(1, {0.5, 0.3}, {0.4, 0.6}, 1.25, 3)};
  curve.note = "What is left out.";
  curve.text = "the prompt";
  return std::make_shared<const RankCurve>(curve);
}

const Series* find(const ChartData& data, const std::string& column) {
  const auto it = std::find_if(data.series.begin(), data.series.end(), [&](const Series& s) { return s.column == column; });
  return it == data.series.end() ? nullptr : &*it;
}

TEST(RankCharts, ShowMeansAndTheWorstLayerByRisingRank) {
  const ChartData shares = rankShares(*sampleCurve());
  ASSERT_TRUE(find(shares, "energy_kept_mean") && find(shares, "energy_kept_min"));
  EXPECT_EQ(find(shares, "energy_kept_mean")->points, (QList<QPointF>{{1, 0.4}, {4, 0.93}, {16, 1}}));
  EXPECT_EQ(find(shares, "energy_kept_min")->points, (QList<QPointF>{{1, 0.3}, {4, 0.9}, {16, 1}}));
  EXPECT_EQ(find(shares, "map_change_max")->points, (QList<QPointF>{{1, 0.6}, {4, 0.2}, {16, 0}}));
  EXPECT_EQ(shares.headline, "90 % of the energy is kept from rank 4 of 16 on");
  EXPECT_EQ(shares.x.scale, Scale::log);
  EXPECT_EQ(*shares.x.max, 16);
}

TEST(RankCharts, BitsAreThoseOfTheCurveAndSayWhatTheyWereMeasuredOn) {
  const ChartData bits = rankBits(*sampleCurve());
  EXPECT_EQ(find(bits, "kl_bits")->points, (QList<QPointF>{{1, 1.25}, {4, 0.25}, {16, 0}}));
  EXPECT_EQ(find(bits, "extra_bits")->points[0], QPointF(1, 1.5));
  EXPECT_EQ(bits.headline, "full model: 1.500 bits per token · 128 B per token");
  EXPECT_EQ(bits.caption, "measured on 127 predicted tokens of the prompt");
}

TEST(RankView, ShowsTheCurveOfASnapshotAndSaysWhatIsMissingWithoutOne) {
  RankView view;
  EXPECT_FALSE(view.shares().data().empty.isEmpty());
  auto snapshot = std::make_shared<Snapshot>();
  view.setSnapshot(snapshot);
  EXPECT_TRUE(view.shares().data().empty.startsWith("not measured yet"));
  EXPECT_TRUE(view.table().rows.empty());
  auto failed = std::make_shared<Snapshot>();
  failed->state = Snapshot::State::failed;
  failed->error = "no such model";
  view.setSnapshot(failed);
  EXPECT_EQ(view.bits().data().empty, "no such model");
  auto measured = std::make_shared<Snapshot>();
  measured->rank = sampleCurve();
  view.setSnapshot(measured);
  EXPECT_TRUE(view.bits().data().empty.isEmpty());
  EXPECT_EQ(find(view.bits().data(), "kl_bits")->points.size(), 3);
  EXPECT_EQ(view.findChild<QLabel*>()->text(), "What is left out.");
}

TEST(RankView, TableHasEveryLayerOfEveryRank) {
  RankView view;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->rank = sampleCurve();
  view.setSnapshot(snapshot);
  const Table table = view.table();
  EXPECT_EQ(table.columns, (std::vector<std::string>{"rank", "bytes_per_token", "kl_bits", "bits", "full_bits", "tokens",
                                                     "energy_kept_layer_0", "energy_kept_layer_1", "map_change_layer_0",
                                                     "map_change_layer_1"}));
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[1], (std::vector<std::string>{"4", "32", "0.25", "1.7", "1.5", "127", "0.96", "0.9", "0.1", "0.2"}));
}

TEST(RankView, PaintsBothChartsWideAndTall) {
  RankView view;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->rank = sampleCurve();
  view.setSnapshot(snapshot);
  for (const QSize size : {QSize(900, 400), QSize(400, 700)}) {
    QImage image(size, QImage::Format_RGB32);
    image.fill(Qt::magenta);
    QPainter painter(&image);
    view.paintTo(painter, size);
    painter.end();
    const bool wide = size.width() > size.height();
    for (const int half : {0, 1}) {
      const QRect part = wide ? QRect(half * size.width() / 2, 0, size.width() / 2, size.height())
                              : QRect(0, half * size.height() / 2, size.width(), size.height() / 2);
      std::set<QRgb> colors;
      for (int y = part.top(); y <= part.bottom(); y += 2)
        for (int x = part.left(); x <= part.right(); x += 2) colors.insert(image.pixel(x, y));
      EXPECT_GT(colors.size(), 10u) << half;
      EXPECT_FALSE(colors.count(QColor(Qt::magenta).rgb())) << half;
    }
  }
}

}  // namespace
}  // namespace mla::ui
