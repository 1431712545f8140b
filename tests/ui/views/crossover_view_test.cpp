#include "ui/views/crossover_view.h"

#include <gtest/gtest.h>

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

#include "tests/ui/charts/painting.h"
#include "tests/ui/views/crossover_fixture.h"
#include "ui/export/exporter.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

using sample::measured_crossover;

std::shared_ptr<Snapshot> unmeasured() {
  auto snapshot = measured_crossover();
  snapshot->crossover = {};
  return snapshot;
}

std::shared_ptr<Snapshot> measuring(double progress) {
  auto snapshot = unmeasured();
  snapshot->crossover.progress = progress;
  return snapshot;
}

QPushButton& button(CrossoverView& view) { return *view.findChild<QPushButton*>(); }

const Series& series(const ChartData& data, const QString& name, Role role) {
  return *std::find_if(data.series.begin(), data.series.end(),
                       [&](const Series& s) { return s.name == name && s.role == role; });
}

TEST(CrossoverView, ItsButtonAsksForTheMeasurementAndThenCancelsIt) {
  CrossoverView view;
  QSignalSpy wanted(&view, &CrossoverView::measureWanted), cancelled(&view, &CrossoverView::cancelWanted);
  EXPECT_FALSE(button(view).isEnabled()) << "nothing runs yet";
  view.setSnapshot(unmeasured());
  EXPECT_TRUE(view.times().data().empty.startsWith("press Measure")) << view.times().data().empty.toStdString();
  QTest::mouseClick(&button(view), Qt::LeftButton);
  EXPECT_EQ(wanted.size(), 1);
  view.setSnapshot(measuring(0.42));
  EXPECT_EQ(view.findChild<QProgressBar*>()->value(), 42);
  EXPECT_FALSE(view.findChild<QProgressBar*>()->isHidden());
  EXPECT_TRUE(view.times().data().empty.contains("the decode is held")) << view.times().data().empty.toStdString();
  QTest::keyClick(&button(view), Qt::Key_Space);
  EXPECT_EQ(wanted.size(), 1);
  EXPECT_EQ(cancelled.size(), 1);
  view.setSnapshot(measured_crossover());
  EXPECT_TRUE(view.findChild<QProgressBar*>()->isHidden());
  EXPECT_EQ(button(view).text(), "&Measure");
}

TEST(CrossoverView, ShowsWhatThereIsWhileItIsMeasuredWithoutAnAnswer) {
  CrossoverView view;
  auto snapshot = measuring(0.5);
  snapshot->crossover.crossover = sample::crossover();
  view.setSnapshot(snapshot);
  EXPECT_TRUE(view.times().data().empty.isEmpty());
  EXPECT_EQ(series(view.times().data(), "absorbed", Role::measured).points.size(), 6);
  EXPECT_TRUE(view.times().data().headline.startsWith("measuring: 50 %")) << view.times().data().headline.toStdString();
}

TEST(CrossoverView, DrawsMeasuredAndModelledTimesWithTheirCrossingsAndResiduals) {
  CrossoverView view;
  view.setSnapshot(measured_crossover());
  const ChartData& times = view.times().data();
  EXPECT_TRUE(times.headline.startsWith("Absorbed decode is faster than expanded from 256 cached tokens on (measured); "))
      << times.headline.toStdString();
  EXPECT_EQ(series(times, "expanded", Role::measured).points[0], QPointF(64, 0.25));
  EXPECT_EQ(series(times, "absorbed", Role::modelled).points.size(), 6);
  EXPECT_EQ(times.x.scale, Scale::log);
  EXPECT_EQ(times.y.scale, Scale::log);
  const auto marker = std::find_if(times.markers.begin(), times.markers.end(),
                                   [](const Marker& m) { return m.label == "256: absorbed beats expanded"; });
  ASSERT_NE(marker, times.markers.end());
  EXPECT_NEAR(marker->x, 256, 1e-6);
  EXPECT_EQ(marker->role, Role::measured);
  const double modelled = series(times, "expanded", Role::modelled).points[2].y();
  const ChartData& residuals = view.residuals().data();
  EXPECT_NEAR(series(residuals, "expanded", Role::measured).points[2].y(), 1 / modelled, 1e-9);
  EXPECT_EQ(series(residuals, "as modelled", Role::modelled).points[0].y(), 1);
  EXPECT_TRUE(residuals.headline.startsWith("Measured takes ")) << residuals.headline.toStdString();
  EXPECT_TRUE(times.caption.contains("20.0 GB/s")) << times.caption.toStdString();
}

TEST(CrossoverView, SaysWhoseCeilingsItsModelHas) {
  const auto caption_of = [](const std::string& backend, const Ceilings& ceilings) {
    auto crossover = std::make_shared<Crossover>(*sample::crossover());
    crossover->experiment.backend = backend;
    crossover->ceilings = ceilings;
    conclude(*crossover);
    auto snapshot = measured_crossover();
    snapshot->crossover.crossover = crossover;
    CrossoverView view;
    view.setSnapshot(snapshot);
    return view.times().data().caption;
  };
  EXPECT_TRUE(caption_of("cpu", {.read_gb_s = 20, .fp32_gflop_s = 100}).endsWith("measured here"));
  const QString gpu = caption_of("cuda", {.read_gb_s = 4000, .fp32_gflop_s = 6e4, .bf16_gflop_s = 8e5});
  EXPECT_TRUE(gpu.contains("4.00 TB/s and 60.0 TFLOP/s (matrix units 800 TFLOP/s), measured on the GPU"))
      << gpu.toStdString();
  const QString unmatched = caption_of("cuda", {.read_gb_s = 4000, .fp32_gflop_s = 6e4});
  EXPECT_TRUE(unmatched.contains("matrix units not measured")) << unmatched.toStdString();
  const QString none = caption_of("cuda", {});
  EXPECT_TRUE(none.endsWith("not modelled: the GPU's ceilings were not measured")) << none.toStdString();
}

TEST(CrossoverView, AnotherSweepIsAnotherPictureAndIsKept) {
  CrossoverView view;
  view.setSnapshot(measured_crossover());
  const QImage decode = sample::painted(view, {900, 600});
  auto* box = view.findChild<QComboBox*>();
  QTest::keyClick(box, Qt::Key_Down);
  EXPECT_EQ(view.kind(), SweepKind::prefill);
  EXPECT_TRUE(view.times().data().headline.startsWith("Absorbed prefill is faster than expanded up to 256 tokens of prompt"))
      << view.times().data().headline.toStdString();
  EXPECT_NE(sample::painted(view, {900, 600}), decode);
  EXPECT_EQ(view.state(), (ViewState{{"sweep", "prefill"}}));
  CrossoverView other;
  ASSERT_TRUE(restoreViews({&other}, {{"crossover", {{"sweep", "batch"}}}}));
  EXPECT_EQ(other.kind(), SweepKind::batch);
  other.setSnapshot(measured_crossover());
  EXPECT_TRUE(other.times().data().headline.isEmpty()) << "nothing was measured of it";
}

TEST(CrossoverView, SaysWhyThereIsNothing) {
  CrossoverView view;
  auto refused = unmeasured();
  refused->experiment.spec = with_variant(refused->experiment.spec, Variant::mha);
  refused->crossover.error = QString::fromStdString(check_crossover(refused->experiment).error().message);
  view.setSnapshot(refused);
  EXPECT_TRUE(view.times().data().empty.contains("MHA")) << view.times().data().empty.toStdString();
  EXPECT_FALSE(button(view).isEnabled());
  auto failed = unmeasured();
  failed->crossover.error = "crossover: out of memory";
  view.setSnapshot(failed);
  EXPECT_EQ(view.times().data().empty, "crossover: out of memory");
  EXPECT_TRUE(button(view).isEnabled()) << "it can be tried again";
}

TEST(CrossoverView, PaintsBothChartsOneUnderTheOtherOrSideBySideLightAndDark) {
  CrossoverView view;
  view.setSnapshot(measured_crossover());
  for (const bool dark : {false, true}) {
    view.setPalette(dark ? darkPalette() : lightPalette());
    for (const QSize size : {QSize(900, 700), QSize(900, 240), QSize(300, 500)}) {
      const QImage image = sample::painted(view, size);
      EXPECT_EQ(sample::count(image, Qt::magenta), 0) << size.width();
      for (const int color : {0, 1, 2}) EXPECT_GT(sample::count(image, seriesColor(color, dark)), 20) << color;
    }
  }
}

TEST(CrossoverView, TheResidualsWaitUntilThereIsRoomAndSomethingToShow) {
  CrossoverView view;
  view.resize(900, 800);
  view.show();
  EXPECT_FALSE(view.residuals().isVisible()) << "nothing was measured";
  view.setSnapshot(measured_crossover());
  EXPECT_TRUE(view.residuals().isVisible());
  EXPECT_GT(view.residuals().y(), view.times().y());
  view.resize(380, 240);
  EXPECT_FALSE(view.residuals().isVisible());
  view.resize(1200, 240);
  EXPECT_TRUE(view.residuals().isVisible());
}

TEST(CrossoverView, ItsTableHasEveryPointAndCrossing) {
  CrossoverView view;
  EXPECT_TRUE(view.table().rows.empty());
  view.setSnapshot(measured_crossover());
  const Table table = view.table();
  ASSERT_EQ(table.columns.size(), 10u);
  EXPECT_EQ(std::vector<std::string>(table.rows[1].begin(), table.rows[1].begin() + 8),
            (std::vector<std::string>{"point", "decode", "64", "1", "expanded", "", "16", "0.25"}));
  const auto kinds = [&](const std::string& kind) {
    return std::count_if(table.rows.begin(), table.rows.end(), [&](const auto& row) { return row[0] == kind; });
  };
  EXPECT_EQ(kinds("point"), 36);
  EXPECT_EQ(kinds("measured_crossing"), 2) << "expanded stays below re-expanded, and absorbed does";
  for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.columns.size());
}

TEST(CrossoverView, ExportsPictureAndTable) {
  const QTemporaryDir folder;
  CrossoverView view;
  view.setSnapshot(measured_crossover());
  const Recording recording(view, {800, 500}, {Format::png, Format::svg, Format::pdf, Format::csv});
  for (const char* name : {"c.png", "c.svg", "c.pdf", "c.csv"}) {
    const Status written = recording.write(folder.filePath(name), 1);
    EXPECT_TRUE(written) << written.error().message;
    EXPECT_GT(QFileInfo(folder.filePath(name)).size(), 500) << name;
  }
}

}  // namespace
}  // namespace mla::ui
