#include "ui/export/exporter.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>
#include <QGuiApplication>
#include <QImage>
#include <QPageSize>
#include <QPdfWriter>
#include <QScreen>
#include <QSvgGenerator>
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/io/csv.h"
#include "core/io/file.h"

namespace mla::ui {
namespace {

constexpr std::array kFormats{Format::png, Format::svg, Format::pdf, Format::csv};
constexpr int kLargestSide = 32767;  // QPainter's limit

QString text(const char* source) { return QCoreApplication::translate("Exporter", source); }

/// Dots per inch that widgets' fonts are laid out for; files must agree or their text would change its size.
int fontDpi() {
  const QScreen* screen = QGuiApplication::primaryScreen();
  return screen ? std::lround(screen->logicalDotsPerInchY()) : 96;
}

void fill(QPainter& painter, QSize size, const std::optional<QColor>& background, const PaintFunction& paint) {
  painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
  if (background) painter.fillRect(QRectF(QPointF(), QSizeF(size)), *background);
  paint(painter, QSizeF(size));
}

Result<QByteArray> toPng(QSize size, double scale, const std::optional<QColor>& background, const PaintFunction& paint) {
  const QSize pixels(std::lround(size.width() * scale), std::lround(size.height() * scale));
  QImage image(pixels, QImage::Format_ARGB32_Premultiplied);
  if (image.isNull())
    return Error{
        text("a picture of %1 x %2 pixels does not fit in memory").arg(pixels.width()).arg(pixels.height()).toStdString()};
  image.setDotsPerMeterX(std::lround(fontDpi() / 0.0254));
  image.setDotsPerMeterY(std::lround(fontDpi() / 0.0254));
  image.fill(Qt::transparent);
  image.setDevicePixelRatio(scale);
  QPainter painter(&image);
  fill(painter, size, background, paint);
  painter.end();
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  if (!image.save(&buffer, "PNG")) return Error{text("the PNG encoder failed").toStdString()};
  return bytes;
}

Result<QByteArray> toSvg(QSize size, const std::optional<QColor>& background, const PaintFunction& paint) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  QSvgGenerator svg;
  svg.setOutputDevice(&buffer);
  svg.setResolution(fontDpi());
  svg.setSize(size);
  svg.setViewBox(QRect(QPoint(), size));
  svg.setTitle(QStringLiteral("MLA Explorer"));
  QPainter painter;
  if (!painter.begin(&svg)) return Error{text("the SVG writer failed").toStdString()};
  fill(painter, size, background, paint);
  painter.end();
  return bytes;
}

Result<QByteArray> toPdf(QSize size, const std::optional<QColor>& background, const PaintFunction& paint) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  QPdfWriter pdf(&buffer);
  pdf.setCreator(QStringLiteral("MLA Explorer"));
  pdf.setResolution(fontDpi());
  const QSizeF points = QSizeF(size) * 72.0 / fontDpi();
  pdf.setPageSize(QPageSize(points, QPageSize::Point, {}, QPageSize::ExactMatch));
  pdf.setPageMargins(QMarginsF());
  QPainter painter;
  if (!painter.begin(&pdf)) return Error{text("the PDF writer failed").toStdString()};
  fill(painter, size, background, paint);
  painter.end();
  return bytes;
}

Result<QByteArray> toPicture(Format format, QSize size, double scale, const std::optional<QColor>& background,
                             const PaintFunction& paint) {
  const double factor = format == Format::png ? scale : 1;
  const double longest = std::max(size.width(), size.height()) * factor;
  if (size.isEmpty() || !(factor > 0) || longest > kLargestSide)
    return Error{text("a picture of %1 x %2 at scale %3 is not between 1 and %4 pixels a side")
                     .arg(size.width())
                     .arg(size.height())
                     .arg(scale)
                     .arg(kLargestSide)
                     .toStdString()};
  switch (format) {
    case Format::png:
      return toPng(size, scale, background, paint);
    case Format::svg:
      return toSvg(size, background, paint);
    case Format::pdf:
      return toPdf(size, background, paint);
    case Format::csv:
      break;
  }
  return Error{text("a picture is written as .png, .svg or .pdf").toStdString()};
}

}  // namespace

QString suffixOf(Format format) {
  switch (format) {
    case Format::png:
      return QStringLiteral("png");
    case Format::svg:
      return QStringLiteral("svg");
    case Format::pdf:
      return QStringLiteral("pdf");
    case Format::csv:
      break;
  }
  return QStringLiteral("csv");
}

Result<Format> formatOf(const QString& path) {
  const QString suffix = QFileInfo(path).suffix();
  for (const Format format : kFormats)
    if (suffix.compare(suffixOf(format), Qt::CaseInsensitive) == 0) return format;
  return Error{text("%1: the suffix \"%2\" is none of .png, .svg, .pdf, .csv").arg(path, suffix).toStdString()};
}

Status exportPainted(const QString& path, QSize size, double scale, const std::optional<QColor>& background,
                     const PaintFunction& paint) {
  const auto format = formatOf(path);
  if (!format) return format.error();
  const auto bytes = toPicture(*format, size, scale, background, paint);
  if (!bytes) return Error{path.toStdString() + ": " + bytes.error().message};
  return write_file_atomically(path.toStdString(), {bytes->constData(), std::size_t(bytes->size())});
}

Status exportTable(const QString& path, const Table& table) {
  return write_file_atomically(path.toStdString(), to_csv(table.columns, table.rows));
}

Recording::Recording(View& view, QSize size, const std::vector<Format>& formats) : size_(size) {
  const bool table = std::count(formats.begin(), formats.end(), Format::csv) > 0;
  if (table) table_ = view.table();
  if (formats.size() == std::size_t(table) || size.isEmpty()) return;
  QPainter painter(&picture_);
  painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
  view.paintTo(painter, QSizeF(size));
}

Status Recording::write(const QString& path, double scale) const {
  const auto format = formatOf(path);
  if (!format) return format.error();
  if (*format == Format::csv) return exportTable(path, table_);
  QPicture picture = picture_;  // playing it moves its position
  return exportPainted(path, size_, scale, std::nullopt,
                       [&picture](QPainter& painter, QSizeF) { painter.drawPicture(QPointF(), picture); });
}

}  // namespace mla::ui
