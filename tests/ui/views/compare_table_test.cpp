#include <gtest/gtest.h>

#include <QFile>
#include <QSvgRenderer>
#include <QTemporaryDir>

#include "core/io/csv.h"
#include "tests/ui/views/compare_fixture.h"
#include "tests/ui/views/map_fixture.h"
#include "ui/export/exporter.h"
#include "ui/views/compare_view.h"

namespace mla::ui {
namespace {

using Row = std::vector<std::string>;

QStringList rowOf(const Comparison& comparison, const std::string& column) {
  for (const CompareQuantity& quantity : compareQuantities(comparison))
    if (quantity.column == column) return cellsOf(quantity);
  return {};
}

TEST(CompareTable, HasDifferencesWithTheirSignAndRatiosToTheFirst) {
  const Comparison c = sampleComparison();
  EXPECT_EQ(rowOf(c, "cache_bytes"), QStringList({"cache held", "4.00 KiB", "1.00 KiB", "−3.00 KiB", "0.2500x"}));
  EXPECT_EQ(rowOf(c, "weight_bytes"), QStringList({"weights", "2.00 KiB", "2.00 KiB", "0 B", "1.000x"}));
  EXPECT_EQ(rowOf(c, "median_ms"), QStringList({"time per token, measured", "2.00 ms", "1.00 ms", "−1.00 ms", "0.5000x"}));
  EXPECT_EQ(rowOf(c, "bits_per_byte"), QStringList({"bits per byte, held-out text", "1.500", "1.750", "+0.2500", "1.167x"}));
  EXPECT_EQ(rowOf(c, "mean_weight_difference"), QStringList({"mean |Δ| of attention, 2 heads", "–", "–", "0.08333", "–"}));
  EXPECT_EQ(rowOf(c, "largest_weight_difference"),
            QStringList({"largest |Δ| of attention, 2 heads", "–", "–", "0.5000", "–"}));
  EXPECT_EQ(compareColumns(), QStringList({"", "first", "second", "difference", "× first"}));
}

TEST(CompareTable, WhatWasNotMeasuredIsADash) {
  Comparison c = sampleComparison();
  c.second.bits_per_byte.reset();
  c.first.cache_bytes = 0;
  c.difference.clear();
  EXPECT_EQ(rowOf(c, "bits_per_byte").mid(1), QStringList({"1.500", "–", "–", "–"}));
  EXPECT_EQ(rowOf(c, "cache_bytes").mid(1), QStringList({"0 B", "1.00 KiB", "+1.00 KiB", "–"})) << "no ratio to nothing";
  EXPECT_TRUE(rowOf(c, "mean_weight_difference").isEmpty());
}

TEST(CompareTable, ExportsTheSummaryAndEveryPairOfTheShownHead) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  const Table table = view.table();
  EXPECT_EQ(table.columns,
            (Row{"what", "query", "key", "query_token", "key_token", "first", "second", "difference", "ratio"}));
  ASSERT_EQ(table.rows.size(), 6u + 6u);
  EXPECT_EQ(table.rows[0], (Row{"cache_bytes", "", "", "", "", "4096", "1024", "-3072", "0.25"}));
  EXPECT_EQ(table.rows[3], (Row{"bits_per_byte", "", "", "", "", "1.5", "1.75", "0.25", csv_number(1.75 / 1.5)}));
  EXPECT_EQ(table.rows[5], (Row{"largest_weight_difference", "", "", "", "", "", "", "0.5", ""}));
  EXPECT_EQ(table.rows[10], (Row{"weight", "2", "1", "king", " ", "0.25", "0.75", "0.5", ""}));
  view.setHead(0);
  EXPECT_EQ(view.table().rows[10], (Row{"weight", "2", "1", "king", " ", "0.5", "0.5", "0", ""}));
}

TEST(CompareTable, PicturesOfEveryFormatParse) {
  CompareView view;
  view.setSnapshot(comparing(sampleComparison()));
  const QTemporaryDir folder;
  const auto write = [&](const char* name, Format format) {
    const QString path = folder.filePath(QString::fromLatin1(name));
    const Status written = Recording(view, {900, 560}, {format}).write(path, 1);
    EXPECT_TRUE(written) << written.error().message;
    QFile file(path);
    EXPECT_TRUE(file.open(QIODevice::ReadOnly));
    return file.readAll();
  };
  const QByteArray svg = write("c.svg", Format::svg);
  EXPECT_TRUE(QSvgRenderer(svg).isValid());
  for (const char* text : {"first: c 64", "second: c 8", "cache held", "4.00 KiB", "+0.2500", "difference of weights"})
    EXPECT_TRUE(svg.contains(text)) << text << " is text, not a picture of it";
  EXPECT_TRUE(write("c.pdf", Format::pdf).startsWith("%PDF"));
  EXPECT_EQ(QImage::fromData(write("c.png", Format::png)).size(), QSize(900, 560));
  EXPECT_TRUE(write("c.csv", Format::csv).startsWith("what,query,key,"));
}

}  // namespace
}  // namespace mla::ui
