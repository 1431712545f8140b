#pragma once

#include <QFontMetricsF>
#include <QHash>
#include <QRectF>
#include <memory>
#include <vector>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// Tokens set as running text in lines of a given width: words stay whole where they can, a line ends after "\n".
class TokenFlow {
 public:
  /// Sets what is new when tokens of the same run were added and width and font stayed; everything otherwise.
  void update(quint64 run, std::shared_ptr<const std::vector<Token>> tokens, double width, const QFont& font);

  int count() const { return int(boxes_.size()); }
  int lines() const { return count() ? boxes_.back().line + 1 : 0; }
  const QFont& font() const { return font_; }
  double lineHeight() const { return line_height_; }
  double height() const { return lines() * line_height_; }
  QRectF rect(int token) const;
  /// First token of a line.
  int firstOf(int line) const;
  int tokenAt(QPointF point) const;  ///< -1 beside the text

  /// The text as it is set.
  static QString textOf(const Token& token);

 private:
  struct Box {
    double x = 0, width = 0;
    int line = 0;
  };
  void place(const Token& token);
  double widthOf(const Token& token);

  quint64 run_ = 0;
  QFont font_;
  double width_ = 0, line_height_ = 1;
  std::vector<Box> boxes_;
  std::size_t word_ = 0;  ///< first token of the word being set
  bool broken_ = false;   ///< the next token starts a line
  QHash<QString, double> widths_;
};

}  // namespace mla::ui
