#include "ui/export/exporter.h"

#include <gtest/gtest.h>

#include <QDir>
#include <QFile>
#include <QImage>
#include <QPainter>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QXmlStreamReader>

#include "tests/ui/charts/sample_snapshot.h"
#include "ui/theme/theme.h"
#include "ui/views/latency_view.h"
#include "ui/views/memory_view.h"

namespace mla::ui {
namespace {

QByteArray contents(const QString& path) {
  QFile file(path);
  EXPECT_TRUE(file.open(QIODevice::ReadOnly)) << path.toStdString();
  return file.readAll();
}

Status exportView(View& view, const QString& path, QSize size, double scale) {
  const auto format = formatOf(path);
  if (!format) return format.error();
  return Recording(view, size, {*format}).write(path, scale);
}

class Exporter : public testing::Test {
 protected:
  Exporter() { view_.setSnapshot(sample::snapshot(60)); }
  QString path(const QString& name) const { return folder_.filePath(name); }
  QStringList files() const {
    return QDir(folder_.path()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot | QDir::Hidden);
  }

  QTemporaryDir folder_;
  MemoryView view_;
};

TEST_F(Exporter, PngHasTheSizeTimesTheScale) {
  ASSERT_TRUE(exportView(view_, path("a.png"), {400, 300}, 1));
  ASSERT_TRUE(exportView(view_, path("b.PNG"), {400, 300}, 2));
  const QImage once(path("a.png")), twice(path("b.PNG"));
  EXPECT_EQ(once.size(), QSize(400, 300));
  EXPECT_EQ(twice.size(), QSize(800, 600));
  EXPECT_EQ(twice.pixelColor(1, 1), view_.palette().color(QPalette::Base));
  const QImage halved = twice.scaled(once.size(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
  int far_apart = 0;  // text and lines grow with the scale: halved, the picture is the same but for smoothing
  for (int y = 0; y < 300; ++y)
    for (int x = 0; x < 400; ++x) far_apart += std::abs(qGray(halved.pixel(x, y)) - qGray(once.pixel(x, y))) > 128;
  EXPECT_LT(far_apart, 400 * 300 / 100);
}

TEST_F(Exporter, ARecordingIsTheViewsOwnPicture) {
  const QSize size(400, 300);
  QImage painted(size, QImage::Format_ARGB32_Premultiplied);
  QPainter painter(&painted);
  painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
  view_.paintTo(painter, size);
  painter.end();
  ASSERT_TRUE(exportView(view_, path("a.png"), size, 1));
  const QImage written = QImage(path("a.png")).convertToFormat(painted.format());
  int differ = 0;
  for (int y = 0; y < size.height(); ++y)
    for (int x = 0; x < size.width(); ++x) differ += std::abs(qGray(written.pixel(x, y)) - qGray(painted.pixel(x, y))) > 96;
  EXPECT_LT(differ, size.width() * size.height() / 150);  // glyphs may lie a fraction of a pixel apart
}

TEST_F(Exporter, ARecordingOutlivesWhatTheViewShows) {
  const Recording recording(view_, {400, 300}, {Format::svg, Format::csv});
  ASSERT_TRUE(recording.write(path("before.svg"), 1));
  view_.setSnapshot(sample::snapshot(5));
  ASSERT_TRUE(recording.write(path("after.svg"), 1));
  ASSERT_TRUE(recording.write(path("after.csv"), 1));
  EXPECT_EQ(contents(path("before.svg")), contents(path("after.svg")));
  EXPECT_GT(contents(path("after.csv")).count('\n'), 60);
}

TEST_F(Exporter, SvgIsXmlOfThatSizeWithItsLegendAsText) {
  ASSERT_TRUE(exportView(view_, path("a.svg"), {640, 400}, 1));
  QXmlStreamReader xml(contents(path("a.svg")));
  QStringList texts;
  QString view_box, width;
  int lines = 0;
  while (!xml.atEnd()) {
    if (xml.readNext() != QXmlStreamReader::StartElement) continue;
    if (xml.name() == QLatin1String("svg")) {
      view_box = xml.attributes().value("viewBox").toString();
      width = xml.attributes().value("width").toString();
    }
    if (xml.name() == QLatin1String("text")) texts << xml.readElementText().trimmed();
    lines += xml.name() == QLatin1String("polyline") || xml.name() == QLatin1String("path");
  }
  EXPECT_FALSE(xml.hasError()) << xml.errorString().toStdString();
  EXPECT_EQ(view_box, "0 0 640 400");
  EXPECT_FALSE(width.isEmpty());
  for (const char* expected : {"this run", "by formula:", "GQA-8", "MQA", "MLA expanded", "tokens"})
    EXPECT_TRUE(texts.contains(expected)) << expected << " not in " << texts.join(" | ").toStdString();
  EXPECT_GE(lines, 6);
}

TEST_F(Exporter, SvgDrawsNothingOutsideItself) {
  LatencyView latency;
  latency.setSnapshot(sample::snapshot(60));  // its first token is far above the axis
  ASSERT_TRUE(exportView(latency, path("a.svg"), {640, 400}, 1));
  QXmlStreamReader xml(contents(path("a.svg")));
  int points = 0;
  while (!xml.atEnd()) {
    if (xml.readNext() != QXmlStreamReader::StartElement || xml.name() != QLatin1String("polyline")) continue;
    const QStringList pairs = xml.attributes().value("points").toString().split(' ', Qt::SkipEmptyParts);
    for (const QString& pair : pairs) {
      const QStringList xy = pair.split(',');
      ASSERT_EQ(xy.size(), 2);
      EXPECT_TRUE(xy[0].toDouble() >= -1 && xy[0].toDouble() <= 641 && xy[1].toDouble() >= -1 && xy[1].toDouble() <= 401);
      ++points;
    }
  }
  EXPECT_GE(points, 60);
}

TEST_F(Exporter, PdfIsOnePageOfThatShape) {
  ASSERT_TRUE(exportView(view_, path("a.pdf"), {800, 500}, 1));
  const QString pdf = QString::fromLatin1(contents(path("a.pdf")));
  EXPECT_TRUE(pdf.startsWith("%PDF-"));
  EXPECT_EQ(pdf.count(QRegularExpression("/Type\\s*/Page\\b(?!s)")), 1);
  const auto box = QRegularExpression("/MediaBox\\s*\\[\\s*0\\s+0\\s+([\\d.]+)\\s+([\\d.]+)").match(pdf);
  ASSERT_TRUE(box.hasMatch());
  EXPECT_NEAR(box.captured(1).toDouble() / box.captured(2).toDouble(), 1.6, 0.01);
}

TEST_F(Exporter, CsvHoldsTheTable) {
  ASSERT_TRUE(exportView(view_, path("a.csv"), {1, 1}, 1));
  const QStringList lines = QString::fromUtf8(contents(path("a.csv"))).split("\r\n", Qt::SkipEmptyParts);
  const Table table = view_.table();
  ASSERT_EQ(lines.size(), qsizetype(table.rows.size()) + 1);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const QStringList cells = lines[qsizetype(row) + 1].split(',');
    ASSERT_EQ(cells.size(), qsizetype(table.columns.size()));
    for (std::size_t i = 0; i < table.columns.size(); ++i) EXPECT_EQ(cells[qsizetype(i)].toStdString(), table.rows[row][i]);
  }
}

TEST_F(Exporter, DarkDiffersFromLight) {
  view_.setPalette(lightPalette());
  ASSERT_TRUE(exportView(view_, path("light.svg"), {400, 300}, 1));
  view_.setPalette(darkPalette());
  ASSERT_TRUE(exportView(view_, path("dark.svg"), {400, 300}, 1));
  EXPECT_NE(contents(path("light.svg")), contents(path("dark.svg")));
}

TEST_F(Exporter, RefusesUnknownSuffixesByName) {
  for (const char* name : {"a.jpg", "a", "a.png.txt"}) {
    const Status status = exportView(view_, path(name), {400, 300}, 1);
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message.find(name), std::string::npos);
    EXPECT_NE(status.error().message.find(".svg"), std::string::npos);
  }
  EXPECT_TRUE(files().isEmpty());
}

TEST_F(Exporter, FailureNamesThePathAndLeavesNothing) {
  for (const char* suffix : {"png", "svg", "pdf", "csv"}) {
    const QString target = path(QString("missing/a.") + suffix);
    const Status status = exportView(view_, target, {400, 300}, 1);
    ASSERT_FALSE(status) << suffix;
    EXPECT_NE(status.error().message.find(target.toStdString()), std::string::npos) << status.error().message;
  }
  for (const QSize size : {QSize(0, 300), QSize(400, -1), QSize(40'000, 10)})
    EXPECT_FALSE(exportView(view_, path("a.png"), size, 1));
  EXPECT_FALSE(exportView(view_, path("a.png"), {400, 300}, 0));
  EXPECT_FALSE(exportPainted(path("a.csv"), {400, 300}, 1, std::nullopt, [](QPainter&, QSizeF) {}));
  EXPECT_TRUE(files().isEmpty()) << files().join(" ").toStdString();
}

TEST_F(Exporter, PaintsAnythingOnABackground) {
  const auto cross = [](QPainter& painter, QSizeF size) {
    painter.drawLine(QPointF(), QPointF(size.width(), size.height()));
  };
  ASSERT_TRUE(exportPainted(path("a.png"), {50, 50}, 1, QColor(Qt::red), cross));
  ASSERT_TRUE(exportPainted(path("b.png"), {50, 50}, 1, std::nullopt, cross));
  EXPECT_EQ(QImage(path("a.png")).pixelColor(40, 5), QColor(Qt::red));
  EXPECT_EQ(QImage(path("b.png")).pixelColor(40, 5).alpha(), 0);
}

}  // namespace
}  // namespace mla::ui
