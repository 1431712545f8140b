#include "ui/views/map_flow.h"

#include <algorithm>

namespace mla::ui {
namespace {

constexpr double kVectorGap = 6;  // between input vectors, which no space separates

bool isVector(const Token& token) { return token.id < 0; }

}  // namespace

QString TokenFlow::textOf(const Token& token) { return QString::fromStdString(token.text); }

double TokenFlow::widthOf(const Token& token) {
  const QString text = textOf(token);
  const auto known = widths_.constFind(text);
  if (known != widths_.constEnd()) return *known;
  const double width = std::max(4.0, QFontMetricsF(font_).horizontalAdvance(text) + 1) + (isVector(token) ? kVectorGap : 0);
  if (widths_.size() > 4096) widths_.clear();  // every input vector has a text of its own
  widths_.insert(text, width);
  return width;
}

void TokenFlow::place(const Token& token) {
  const QString text = textOf(token);
  Box box{0, widthOf(token), 0};
  if (!boxes_.empty()) {
    box.line = boxes_.back().line + (broken_ ? 1 : 0);
    box.x = broken_ ? 0 : boxes_.back().x + boxes_.back().width;
  }
  if (broken_ || isVector(token) || text.startsWith(QLatin1Char(' '))) word_ = boxes_.size();
  broken_ = text == QLatin1String("\\n");
  boxes_.push_back(box);
  const bool space = text.trimmed().isEmpty();
  if (box.x > 0 && box.x + box.width > width_ && !space) {
    // The word that does not fit moves to the next line; one that fills a line is broken where it ends.
    const std::size_t from = boxes_[word_].x > 0 ? word_ : boxes_.size() - 1;
    double x = 0;
    for (std::size_t i = from; i < boxes_.size(); ++i) {
      boxes_[i] = {x, boxes_[i].width, box.line + 1};
      x += boxes_[i].width;
    }
  }
  if (text.endsWith(QLatin1Char(' '))) word_ = boxes_.size();
}

void TokenFlow::update(quint64 run, std::shared_ptr<const std::vector<Token>> tokens, double width, const QFont& font) {
  const std::size_t size = tokens ? tokens->size() : 0;
  if (run != run_ || width != width_ || font != font_ || size < boxes_.size()) {
    boxes_.clear();
    word_ = 0;
    broken_ = false;
    if (font != font_) widths_.clear();
  }
  run_ = run;
  width_ = width;
  font_ = font;
  line_height_ = QFontMetricsF(font).height() * 1.25;
  boxes_.reserve(size);
  for (std::size_t i = boxes_.size(); i < size; ++i) place((*tokens)[i]);
}

QRectF TokenFlow::rect(int token) const {
  const Box& box = boxes_[token];
  return {box.x, box.line * line_height_, box.width, line_height_};
}

int TokenFlow::firstOf(int line) const {
  const auto found =
      std::lower_bound(boxes_.begin(), boxes_.end(), line, [](const Box& box, int l) { return box.line < l; });
  return int(found - boxes_.begin());
}

int TokenFlow::tokenAt(QPointF point) const {
  if (point.y() < 0 || point.x() < 0) return -1;
  const int line = int(point.y() / line_height_);
  for (int i = firstOf(line); i < count() && boxes_[i].line == line; ++i) {
    if (point.x() < boxes_[i].x + boxes_[i].width) return i;
  }
  return -1;
}

}  // namespace mla::ui
