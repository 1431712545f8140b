#include "ui/views/compare_view.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/ui/charts/painting.h"
#include "tests/ui/views/compare_fixture.h"
#include "tests/ui/views/map_fixture.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

const QSize kSize(900, 560);

/// The middle of a cell of one of the maps in a painting of that size.
QPointF middleOf(const CompareScene& scene, const QSizeF& size, std::size_t map, const TriangleCell& cell) {
  const CompareLayout layout = layoutCompare(size, QFontMetricsF(QApplication::font()), scene);
  return triangleCellRect(cell, layout.maps[map], scene.comparison->tokens()).center();
}

QRgb colorAt(const QImage& image, const CompareScene& scene, std::size_t map, const TriangleCell& cell) {
  return image.pixel(middleOf(scene, image.size(), map, cell).toPoint());
}

TEST(CompareView, SaysWhatToDoWhileThereIsNothing) {
  CompareView view;
  EXPECT_EQ(view.scene().message, "Nothing to compare yet: pin a run (Ctrl+P), then change a setting.");
  EXPECT_EQ(view.canvas()->accessibleName(), view.scene().message);
  EXPECT_TRUE(view.table().rows.empty());
  const QImage image = sample::painted(view, {300, 200});
  EXPECT_EQ(image.pixelColor(2, 2), view.palette().color(QPalette::Base));
  auto busy = std::make_shared<Snapshot>();
  busy->activity = "comparing, 40 %";
  view.setSnapshot(busy);
  EXPECT_EQ(view.scene().message, "comparing, 40 %");
}

TEST(CompareView, BeginsWithTheHeadThatDiffersMost) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  EXPECT_EQ(view.scene().head, 1);
  EXPECT_EQ(compareHeadline(view.scene()),
            "Layer 4, head h1, 3 tokens · largest difference 0.5000 · mean 0.1667 · total variation 0.1667");
  EXPECT_EQ(compareTitles(view.scene()), QStringList({"first: c 64", "second: c 8", "second − first (difference)"}));
  view.setHead(0);
  view.setSnapshot(comparing(sampleComparison()));
  EXPECT_EQ(view.scene().head, 0) << "the choice stays while the heads are the same";
}

TEST(CompareView, CellsHaveTheColoursOfTheirNumbersOnOneScale) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  for (const bool log : {true, false}) {
    view.setLog(log);
    const CompareScene& scene = view.scene();
    const QImage image = sample::painted(view, kSize);
    const ColorScale scale = ColorScale::forWeights(log, 3), apart = ColorScale::forScores(0.5);
    EXPECT_EQ(colorAt(image, scene, 0, {2, 1}), scale.color(0.25));
    EXPECT_EQ(colorAt(image, scene, 1, {2, 1}), scale.color(0.75));
    EXPECT_EQ(colorAt(image, scene, 0, {0, 0}), colorAt(image, scene, 1, {0, 0})) << "equal weights, equal colours";
    EXPECT_EQ(colorAt(image, scene, 2, {2, 1}), apart.color(0.5));
    EXPECT_EQ(colorAt(image, scene, 2, {2, 0}), apart.color(-0.375));
    EXPECT_EQ(colorAt(image, scene, 2, {1, 1}), apart.color(0));
    EXPECT_EQ(image.pixel(middleOf(scene, kSize, 0, {0, 2}).toPoint()), MapColors::from(view.palette()).above);
  }
}

TEST(CompareView, FollowsTheThemeWithoutANewComparison) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  for (const QPalette& palette : {lightPalette(), darkPalette(), lightPalette()}) {
    view.setPalette(palette);
    const QImage image = sample::painted(view, kSize);
    const MapColors colors = MapColors::from(palette);
    EXPECT_EQ(image.pixel(1, 1), colors.background.rgb());
    EXPECT_EQ(image.pixel(middleOf(view.scene(), kSize, 1, {0, 2}).toPoint()), colors.above);
  }
}

TEST(CompareView, AHeadOfOneSideHasNoDifference) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  view.setHead(2);
  EXPECT_EQ(compareHeadline(view.scene()), "Layer 4, head h2, 3 tokens · only one of the two has it");
  const QImage image = sample::painted(view, kSize);
  EXPECT_EQ(colorAt(image, view.scene(), 1, {2, 1}), ColorScale::forWeights(true, 3).color(0.5));
  EXPECT_EQ(colorAt(image, view.scene(), 2, {2, 1}), MapColors::from(view.palette()).background.rgb());
  EXPECT_EQ(view.table().rows.back()[5], "");
  EXPECT_EQ(view.table().rows.back()[7], "");
}

TEST(CompareView, ControlsWorkByKeyAndSayWhatTheyAre) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  view.resize(kSize);
  view.show();
  auto* head = view.findChild<QSpinBox*>();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->suffix(), " of 3");
  press(*head, Qt::Key_Up);
  EXPECT_EQ(view.scene().head, 2);
  press(*head, Qt::Key_Down);
  press(*head, Qt::Key_Down);
  EXPECT_EQ(view.canvas()->scene().head, 0);
  auto* log = view.findChild<QCheckBox*>();
  ASSERT_TRUE(log && log->isChecked());
  press(*log, Qt::Key_Space);
  EXPECT_FALSE(view.canvas()->scene().log);
  for (QWidget* control : {static_cast<QWidget*>(head), static_cast<QWidget*>(log), static_cast<QWidget*>(view.canvas())}) {
    EXPECT_FALSE(control->toolTip().isEmpty());
    EXPECT_FALSE(control->accessibleName().isEmpty());
    EXPECT_NE(control->focusPolicy() & Qt::TabFocus, 0);
  }
}

TEST(CompareView, PointingAtACellReadsOutBothWeightsOnEveryMap) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  view.resize(kSize);
  view.show();
  CompareCanvas& canvas = *view.canvas();
  const QString expected = "query 2 “king” · key 1 “␣” · first 0.2500 · second 0.7500 · difference 0.5000";
  for (std::size_t map = 0; map < 3; ++map) {
    hover(canvas, middleOf(canvas.scene(), canvas.size(), map, {2, 1}));
    EXPECT_EQ(compareReadout(canvas.scene()), expected) << map;
    EXPECT_TRUE(canvas.accessibleDescription().startsWith(expected));
    const QImage marked = canvas.grab().toImage();
    for (std::size_t other = 0; other < 3; ++other) {
      const CompareLayout layout = layoutCompare(canvas.size(), QFontMetricsF(canvas.font()), canvas.scene());
      const QRectF cell = triangleCellRect({2, 1}, layout.maps[other], 3);
      std::set<QRgb> edge;  // a white line in a black one, around the cell
      for (int y = -4; y <= 4; ++y) edge.insert(marked.pixel(int(cell.center().x()), int(cell.top()) + y));
      EXPECT_TRUE(edge.contains(QColor(Qt::white).rgb())) << other;
      EXPECT_TRUE(edge.contains(QColor(Qt::black).rgb())) << other;
    }
    hover(canvas, middleOf(canvas.scene(), canvas.size(), map, {0, 2}));
    EXPECT_FALSE(canvas.scene().focus) << "above the diagonal there is nothing";
  }
}

TEST(CompareView, ArrowKeysWalkOverTheCells) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  view.resize(kSize);
  view.show();
  CompareCanvas& canvas = *view.canvas();
  press(canvas, Qt::Key_Left);
  EXPECT_EQ(canvas.scene().focus, (TriangleCell{2, 2})) << "begins at the newest";
  press(canvas, Qt::Key_Left);
  press(canvas, Qt::Key_Left);
  press(canvas, Qt::Key_Left);
  EXPECT_EQ(canvas.scene().focus, (TriangleCell{2, 0}));
  press(canvas, Qt::Key_Right);
  press(canvas, Qt::Key_Right);
  press(canvas, Qt::Key_Up);
  EXPECT_EQ(canvas.scene().focus, (TriangleCell{1, 1})) << "stays on pairs that attend";
  view.setHead(0);
  EXPECT_TRUE(compareReadout(canvas.scene()).contains("key 1 “␣” · first 0.5000"));
  press(canvas, Qt::Key_Escape);
  EXPECT_FALSE(canvas.scene().focus);
  EXPECT_FALSE(view.scene().focus) << "files are painted without a mark";
}

TEST(CompareView, PaintsAtAnySizeAndNothingOverlaps) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  for (const QSize size :
       {QSize(40, 30), QSize(300, 220), QSize(420, 900), QSize(700, 500), QSize(1280, 800), QSize(1500, 420)}) {
    SCOPED_TRACE(std::to_string(size.width()) + "x" + std::to_string(size.height()));
    EXPECT_NE(sample::painted(view, size).pixelColor(size.width() - 1, size.height() - 1), QColor(Qt::magenta));
    const CompareLayout layout = layoutCompare(size, QFontMetricsF(view.font()), view.canvas()->scene());
    std::vector<QRectF> parts = {layout.headline, layout.readout, layout.weight_legend, layout.difference_legend,
                                 layout.table};
    parts.insert(parts.end(), layout.maps.begin(), layout.maps.end());
    parts.insert(parts.end(), layout.titles.begin(), layout.titles.end());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j)
        EXPECT_LT((parts[i] & parts[j]).height() * (parts[i] & parts[j]).width(), 1e-6) << i << ' ' << j;
      const bool inside = QRectF(QPointF(), size).contains(parts[i]) || parts[i].isEmpty();
      EXPECT_TRUE(inside || size.width() < 300) << i;
    }
  }
}

TEST(CompareView, ManyTokensArePooledByMagnitude) {
  Comparison large;
  const int tokens = 600;
  large.ids.assign(tokens, 1);
  large.texts.assign(tokens, "a");
  std::vector<float> none(std::size_t(tokens) * tokens, 0.0f), one = none;
  one[std::size_t(401) * tokens + 203] = 0.5f;
  large.first.weights = {one};
  large.second.weights = {none};
  large.difference = {difference_of(one, none, tokens)};
  CompareView view;
  view.setSnapshot(comparing(large));
  const QSize small(480, 420);
  const QImage image = sample::painted(view, small);
  EXPECT_EQ(colorAt(image, view.scene(), 0, {401, 203}), ColorScale::forWeights(true, tokens).color(0.5));
  EXPECT_EQ(colorAt(image, view.scene(), 2, {401, 203}), ColorScale::forScores(0.5).color(-0.5));
  EXPECT_EQ(colorAt(image, view.scene(), 1, {401, 203}), ColorScale::forWeights(true, tokens).color(0));
}

}  // namespace
}  // namespace mla::ui
