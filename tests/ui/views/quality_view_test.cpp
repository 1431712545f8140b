#include "ui/views/quality_view.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/model_catalog.h"
#include "tests/ui/charts/painting.h"

namespace mla::ui {
namespace {

QualityPoint point(const Experiment& experiment, std::string curve, std::string name, std::int64_t bytes, double bits) {
  return {std::move(curve), std::move(name), false, experiment, bytes, bits, {}};
}

Experiment plain(Variant variant) {
  Experiment e = default_experiment();
  e.model = "plain";
  e.spec = with_variant(e.spec, variant);
  return e;
}

std::shared_ptr<Snapshot> sample() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->run = 1;
  snapshot->random_weights = false;
  const Experiment elastic = *experiment_of_model(std::string(kFairyTales));
  std::vector<QualityPoint> points{
      point(elastic, "tales, latent 1 to 64", "c 64", 320, 1.30), point(elastic, "tales, latent 1 to 64", "c 16", 128, 1.38),
      point(elastic, "tales, latent 1 to 64", "c 4", 80, 0), point(plain(Variant::mha), "mha", "MHA", 1600, 1.40),
      point(plain(Variant::mqa), "mqa", "MQA", 200, 1.47)};
  points[1].present = true;
  snapshot->quality_curve = std::make_shared<const std::vector<QualityPoint>>(points);
  return snapshot;
}

const Series& named(const ChartData& data, const QString& name) {
  return *std::find_if(data.series.begin(), data.series.end(), [&](const Series& s) { return s.name == name; });
}

TEST(QualityView, DrawsWhatWasMeasuredAndSaysWhatIsMissing) {
  QualityView view;
  view.setSnapshot(sample());
  const ChartData& shown = view.chart().data();
  EXPECT_EQ(named(shown, "tales, latent 1 to 64").points, (QList<QPointF>{{128, 1.38}, {320, 1.30}}));
  EXPECT_EQ(named(shown, "MHA").points, (QList<QPointF>{{1600, 1.40}}));
  EXPECT_EQ(named(shown, "this run").points, (QList<QPointF>{{128, 1.38}}));
  EXPECT_TRUE(shown.caption.contains("1 of 5 points still to be measured")) << shown.caption.toStdString();
  EXPECT_EQ(shown.headline, "MLA with c 16 predicts as well as MHA in 1/12.5 of its bytes");
  EXPECT_TRUE(shown.empty.isEmpty());
  EXPECT_EQ(shown.x.scale, Scale::log);
  EXPECT_LT(*shown.y.min, 1.30);
  EXPECT_GT(*shown.y.max, 1.47);
}

TEST(QualityView, ItsTableHasEveryPointAndNoFigureForWhatIsNotMeasured) {
  QualityView view;
  view.setSnapshot(sample());
  const Table table = view.table();
  ASSERT_EQ(table.rows.size(), 5u);
  EXPECT_EQ(table.rows[1], (std::vector<std::string>{"fairy-tales", "c 16", "128", "1.38", "1"}));
  EXPECT_EQ(table.rows[2][3], "");
}

TEST(QualityView, SaysWhyThereIsNothing) {
  QualityView view;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->run = 1;
  view.setSnapshot(snapshot);
  EXPECT_TRUE(view.chart().data().empty.contains("random weights")) << view.chart().data().empty.toStdString();
  auto failed = sample();
  auto points = *failed->quality_curve;
  for (QualityPoint& p : points) p.bits_per_byte = 0;
  points[0].error = "model.safetensors: is gone";
  failed->quality_curve = std::make_shared<const std::vector<QualityPoint>>(points);
  view.setSnapshot(failed);
  EXPECT_EQ(view.chart().data().empty, "model.safetensors: is gone");
}

TEST(QualityView, ClaimsNoBargainWhereThereIsNone) {
  auto snapshot = sample();
  auto points = *snapshot->quality_curve;
  points[3].bits_per_byte = 1.2;  // MHA predicts better than any latent
  snapshot->quality_curve = std::make_shared<const std::vector<QualityPoint>>(points);
  QualityView view;
  view.setSnapshot(snapshot);
  EXPECT_EQ(view.chart().data().headline, "1.380 bits/byte at 128 B a token");
}

}  // namespace
}  // namespace mla::ui
