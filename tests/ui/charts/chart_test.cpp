#include "ui/charts/chart.h"

#include <gtest/gtest.h>

#include <QImage>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPushButton>
#include <numeric>
#include <set>

#include "tests/ui/charts/painting.h"
#include "ui/charts/plot.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

using sample::count;

ChartData sampleData() {
  ChartData data;
  data.headline = "Headline";
  data.caption = "Caption";
  data.x = {"tokens", "tokens", Unit::count, Scale::linear, 0.0, 100.0};
  data.y = {"cache", "", Unit::bytes, Scale::linear, {}, {}};
  Series line{"one", "one_bytes", Role::measured, Stroke::normal, 0, {}};
  for (int i = 1; i <= 100; ++i) line.points.append({double(i), 1024.0 * i});
  data.series.push_back(line);
  data.series.push_back({"two", "two_bytes", Role::formula, Stroke::normal, 1, {{0, 0}, {50, 1e5}, {100, 2e5}}});
  return data;
}

QImage picture(const Chart& chart, const QSize& size) {
  QImage image(size, QImage::Format_RGB32);
  image.fill(Qt::magenta);
  QPainter painter(&image);
  chart.paintTo(painter, size);
  return image;
}

TEST(ChartPicture, LaysEverythingOutWithinItsSizeAndApart) {
  ChartData data = sampleData();
  for (int i = 0; i < 6; ++i) data.series.push_back({QString("a series with a long name %1").arg(i), "", Role::measured});
  for (const QSizeF size : {QSizeF(360, 250), QSizeF(200, 130), QSizeF(1920, 1080)}) {
    const ChartLayout layout = arrange(data, ChartKind::lines, size, QFont());
    std::vector<QRectF> parts{layout.headline, layout.plot};
    if (!layout.x_title_text.isEmpty()) parts.push_back(layout.x_title);
    if (!layout.caption_text.isEmpty()) parts.push_back(layout.caption);
    for (const LegendItem& item : layout.legend) parts.push_back(item.label.united(item.sample));
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_TRUE(QRectF({0, 0}, size).contains(parts[i])) << size.width() << " part " << i;
      for (std::size_t j = 0; j < i; ++j)
        EXPECT_FALSE(parts[i].intersects(parts[j])) << size.width() << " " << i << " " << j;
    }
  }
}

TEST(ChartPicture, SmallOneKeepsRoomForItsPlot) {
  for (const QSizeF size : {QSizeF(360, 250), QSizeF(260, 180), QSizeF(200, 130)}) {
    const ChartLayout layout = arrange(sampleData(), ChartKind::lines, size, QFont());
    EXPECT_GE(layout.plot.height(), size.height() * 0.4) << size.height();
    EXPECT_GE(layout.y_ticks.ticks.size(), 2u) << size.height();
  }
}

TEST(ChartPicture, LegendSaysWhichAreMeasuredAndWhichComputed) {
  const ChartLayout layout = arrange(sampleData(), ChartKind::lines, {400, 300}, QFont());
  QStringList texts;
  for (const LegendItem& item : layout.legend) texts << item.text;
  EXPECT_EQ(texts, (QStringList{"measured:", "one", "by formula:", "two"}));
  EXPECT_EQ(penOf(sampleData().series[0], lightPalette(), 14).style(), Qt::SolidLine);
  EXPECT_EQ(penOf(sampleData().series[1], lightPalette(), 14).style(), Qt::CustomDashLine);
}

TEST(ChartPicture, LinesWhoseColoursComeAgainAreToldApartByTheirDashesInTheLegendToo) {
  ChartData data = sampleData();
  data.series.clear();
  for (int i = 0; i < 4 * kSeriesColors; ++i)
    data.series.push_back({QString::number(i), "", Role::measured, Stroke::normal, i, {{0, 1.0 + i}, {100, 2.0 + i}}});
  std::set<std::pair<QRgb, QList<qreal>>> looks;
  for (const Series& series : data.series) {
    for (const Role role : {Role::measured, Role::modelled}) {
      Series drawn = series;
      drawn.role = role;
      const QPen pen = penOf(drawn, lightPalette(), 14);
      EXPECT_EQ(pen.style() == Qt::SolidLine, role == Role::measured && series.color < kSeriesColors) << series.color;
      looks.insert({pen.color().rgb(), pen.style() == Qt::SolidLine ? QList<qreal>() : pen.dashPattern()});
    }
  }
  EXPECT_EQ(looks.size(), 2 * data.series.size());
  for (const LegendItem& item : arrange(data, ChartKind::lines, {1200, 900}, QFont()).legend) {
    const Series& series = data.series[std::size_t(item.series)];
    const QPen pen = penOf(series, lightPalette(), QFontMetricsF(QFont()).height());
    const QList<qreal> dashes = pen.style() == Qt::SolidLine ? QList<qreal>() : pen.dashPattern();
    const qreal whole = std::accumulate(dashes.begin(), dashes.end(), 0.0) * pen.widthF();
    EXPECT_GE(item.sample.width(), whole) << series.color << ": its sample shows a whole pattern";
  }
}

TEST(ChartPicture, ASmallOneHasItsHeadlineOnTwoLinesWhereThePlotHasRoom) {
  ChartData data = sampleData();
  data.headline = "Absorbed decode is faster than expanded from 256 cached tokens on (measured)";
  const ChartLayout layout = arrange(data, ChartKind::lines, {340, 165}, QFont());
  EXPECT_EQ(layout.headline_text, data.headline) << "not elided";
  EXPECT_GE(layout.plot.height(), 60);
}

TEST(ChartPicture, LegendThatIsTooLongCountsTheRest) {
  ChartData data = sampleData();
  for (int i = 0; i < 40; ++i) data.series.push_back({QString("series number %1").arg(i), "", Role::measured});
  const ChartLayout layout = arrange(data, ChartKind::lines, {360, 250}, QFont());
  EXPECT_TRUE(layout.legend.back().text.endsWith("more")) << layout.legend.back().text.toStdString();
  EXPECT_LT(layout.plot.top(), 140);
  EXPECT_GT(layout.plot.height(), 60);
}

TEST(Chart, PaintsItsSeriesInTheirColorsWherePointsAre) {
  LineChart chart;
  chart.setPalette(lightPalette());
  chart.setData(sampleData());
  const QImage image = picture(chart, {400, 300});
  EXPECT_EQ(count(image, Qt::magenta), 0);
  EXPECT_GT(count(image, seriesColor(0, false)), 30);
  EXPECT_GT(count(image, seriesColor(1, false)), 30);
  chart.resize(400, 300);
  const QPoint on_line = chart.picture().layout().pixel({50, 1024 * 50}).toPoint();
  int least = 1000;  // distance to the series' colour, of the pixels around (they are smoothed)
  for (int dy = -1; dy <= 1; ++dy) {
    const QColor c = image.pixelColor(on_line + QPoint(0, dy)), wanted = seriesColor(0, false);
    least = std::min(least, std::abs(c.red() - wanted.red()) + std::abs(c.blue() - wanted.blue()));
  }
  EXPECT_LT(least, 150);  // the background's is 332
}

TEST(Chart, FollowsThePaletteAndTheFont) {
  LineChart chart;
  chart.setData(sampleData());
  chart.setPalette(lightPalette());
  const QImage light = picture(chart, {400, 300});
  chart.setPalette(darkPalette());
  const QImage dark = picture(chart, {400, 300});
  EXPECT_EQ(light.pixelColor(0, 0), lightPalette().color(QPalette::Base));
  EXPECT_EQ(dark.pixelColor(0, 0), darkPalette().color(QPalette::Base));
  EXPECT_GT(count(dark, seriesColor(0, true)), 30);
  chart.resize(400, 300);
  const qreal before = chart.picture().layout().em;
  QFont larger = chart.font();
  larger.setPointSizeF(larger.pointSizeF() * 2);
  chart.setFont(larger);
  EXPECT_NEAR(chart.picture().layout().em / before, 2, 0.15);
}

TEST(Chart, IsDrawnAgainOnlyForWhatIsNew) {
  LineChart chart;
  chart.resize(400, 300);
  ChartData data = sampleData();
  chart.setData(data);
  EXPECT_TRUE(chart.draw());
  EXPECT_FALSE(chart.draw());
  chart.setData(data);
  EXPECT_FALSE(chart.draw());
  data.series[0].points.append({101, 7});
  chart.setData(data);
  EXPECT_TRUE(chart.draw());
}

TEST(Chart, KeepsFarFewerPointsThanItGets) {
  ChartData data = sampleData();
  data.series[0].points.clear();
  for (int i = 0; i < 50'000; ++i) data.series[0].points.append({i / 500.0, double(i % 977)});
  LineChart chart;
  chart.resize(400, 300);
  chart.setData(data);
  EXPECT_LE(chart.picture().curves().back().points.size(), 2 * 400);
  EXPECT_GE(chart.picture().curves().back().points.size(), 400);
  EXPECT_EQ(chart.table().rows.size(), 50'001u);  // the table has them all, and x = 100 of the other series
}

TEST(Chart, HoveringShowsTheExactNearestPoint) {
  LineChart chart;
  chart.resize(500, 350);
  chart.setData(sampleData());
  const QPointF at = chart.picture().layout().pixel({42, 1024 * 42}) + QPointF(0.5, 2);
  QMouseEvent move(QEvent::MouseMove, at, at, Qt::NoButton, Qt::NoButton, Qt::NoModifier);
  QStringList said;
  QObject::connect(&chart, &Chart::marked, [&](const QString& text) { said << text; });
  QApplication::sendEvent(&chart, &move);
  ASSERT_TRUE(chart.mark());
  EXPECT_EQ(chart.mark()->value, QPointF(42, 1024 * 42));
  EXPECT_EQ(chart.mark()->text, "one\n42 tokens · 42.0 KiB (43,008 bytes)");
  QEvent leave(QEvent::Leave);
  QApplication::sendEvent(&chart, &leave);
  EXPECT_FALSE(chart.mark());
  EXPECT_EQ(said, (QStringList{"one\n42 tokens · 42.0 KiB (43,008 bytes)", ""}));
}

TEST(Chart, ArrowKeysWalkThroughThePoints) {
  LineChart chart;
  chart.resize(500, 350);
  chart.setData(sampleData());
  const auto press = [&](int key) {
    QKeyEvent event(QEvent::KeyPress, key, Qt::NoModifier);
    QApplication::sendEvent(&chart, &event);
    return event.isAccepted();
  };
  EXPECT_TRUE(press(Qt::Key_Right));
  EXPECT_EQ(chart.mark()->value.x(), 100);
  press(Qt::Key_Left);
  EXPECT_EQ(chart.mark()->value, QPointF(99, 99 * 1024));
  press(Qt::Key_Home);
  EXPECT_EQ(chart.mark()->value.x(), 1);
  press(Qt::Key_Down);
  EXPECT_EQ(chart.mark()->series, 1);
  press(Qt::Key_Escape);
  EXPECT_FALSE(chart.mark());
  EXPECT_FALSE(press(Qt::Key_Space));  // left to the window, which plays and pauses
}

TEST(Chart, StackedAreaSaysTheShareUnderThePointer) {
  ChartData data;
  data.x = {"tokens", "tokens", Unit::count, Scale::linear, {}, {}};
  data.y = {"time", "", Unit::ms, Scale::linear, {}, {}};
  data.series.push_back({"lower", "", Role::measured, Stroke::normal, 0, {{0, 1}, {10, 1}}});
  data.series.push_back({"upper", "", Role::measured, Stroke::normal, 1, {{0, 3}, {10, 3}}});
  StackedAreaChart chart;
  chart.setPalette(lightPalette());
  chart.resize(400, 300);
  chart.setData(data);
  const ChartLayout& layout = chart.picture().layout();
  const auto upper = chart.picture().nearest(layout.pixel({9, 2}));
  ASSERT_TRUE(upper);
  EXPECT_EQ(upper->text, "upper\n10 tokens · 3 ms");
  EXPECT_EQ(chart.picture().nearest(layout.pixel({1, 0.5}))->text, "lower\n0 tokens · 1 ms");
  const QImage image = picture(chart, {400, 300});
  EXPECT_EQ(image.pixelColor(layout.pixel({5, 0.5}).toPoint()), seriesColor(0, false));
  EXPECT_EQ(image.pixelColor(layout.pixel({5, 2.5}).toPoint()), seriesColor(1, false));
}

TEST(Chart, CornerWidgetHasItsOwnRoom) {
  LineChart chart;
  auto* button = new QPushButton("log");
  chart.setCorner(button);
  chart.resize(360, 250);
  chart.setData(sampleData());
  EXPECT_EQ(button->parentWidget(), &chart);
  EXPECT_TRUE(chart.rect().contains(button->geometry()));
  EXPECT_LE(chart.picture().layout().headline.right(), button->geometry().left());
  for (const LegendItem& item : chart.picture().layout().legend)
    EXPECT_FALSE(item.label.intersects(QRectF(button->geometry())));
}

TEST(Chart, TableHoldsEveryNumber) {
  LineChart chart;
  chart.setData(sampleData());
  const Table table = chart.table();
  EXPECT_EQ(table.columns, (std::vector<std::string>{"tokens", "one_bytes", "two_bytes"}));
  ASSERT_EQ(table.rows.size(), 101u);
  EXPECT_EQ(table.rows[0], (std::vector<std::string>{"0", "", "0"}));
  EXPECT_EQ(table.rows[50], (std::vector<std::string>{"50", "51200", "1e+05"}));
}

}  // namespace
}  // namespace mla::ui
