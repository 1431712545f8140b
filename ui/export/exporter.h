#pragma once

#include <QPainter>
#include <QPicture>
#include <QSize>
#include <QString>
#include <functional>
#include <optional>
#include <vector>

#include "core/spec/result.h"
#include "ui/views/view.h"

namespace mla::ui {

enum class Format { png, svg, pdf, csv };

/// "png", "svg" …: the suffix of the format's files.
QString suffixOf(Format format);

/// The format that a path's suffix asks for (upper or lower case); the error names the path and lists what is known.
Result<Format> formatOf(const QString& path);

/// Paints a picture of that size, in the units of its own painter.
using PaintFunction = std::function<void(QPainter& painter, QSizeF size)>;

/// Writes a picture as PNG, SVG or PDF, by the path's suffix: whole, or not at all. The errors name the path and the reason.
///   PNG: size x scale pixels, text and lines scaled alike;  SVG: size, viewBox, text as text;  PDF: one page of that shape.
/// `background` is painted first where given; without it an SVG, PDF or PNG is transparent where the picture is.
Status exportPainted(const QString& path, QSize size, double scale, const std::optional<QColor>& background,
                     const PaintFunction& paint);

/// Writes a table as CSV (RFC 4180), its columns in the first line: whole, or not at all.
Status exportTable(const QString& path, const Table& table);

/// What a view showed at one moment: its drawing commands and its table. Taken on the window's thread within milliseconds;
/// painting the pixels, encoding and writing need the view no more and may happen on any thread.
class Recording {
 public:
  /// Records what files of these formats need.
  Recording(View& view, QSize size, const std::vector<Format>& formats);

  /// Writes the picture (PNG: size x scale pixels) or the table, as the path's suffix says; it must be one of the formats.
  Status write(const QString& path, double scale) const;

 private:
  QSize size_;
  QPicture picture_;
  Table table_;
};

}  // namespace mla::ui
