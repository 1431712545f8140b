#include "ui/views/tokens_view.h"

#include <QPaintEngine>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/theme/theme.h"
#include "ui/views/map_legend.h"
#include "ui/views/map_source.h"
#include "ui/views/map_summary.h"

namespace mla::ui {
namespace {

constexpr double kMargin = 8;

std::vector<Swatch> swatches(const MapColors& colors) {
  return {{colors.background.rgb(), colors.background.rgb(), TokensView::tr("no weight from this query")}};
}

}  // namespace

TokensView::TokensView(QWidget* parent)
    : View(parent), scroll_(new QScrollBar(Qt::Vertical, this)), mean_button_(new QToolButton(this)) {
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(160, 80);
  setAccessibleName(tr("Tokens"));
  scroll_->setAccessibleName(tr("Scroll through the tokens"));
  scroll_->hide();
  scroll_->setRange(0, 0);
  connect(scroll_, &QScrollBar::valueChanged, this, qOverload<>(&QWidget::update));
  mean_button_->setText(tr("mean of heads"));
  mean_button_->setCheckable(true);
  mean_button_->setToolTip(tr("Colour by the mean over all heads instead of the chosen one (M)"));
  mean_button_->setAccessibleName(tr("Mean over heads"));
  connect(mean_button_, &QToolButton::toggled, this, &TokensView::setMean);
}

void TokensView::setSnapshot(const SnapshotPtr& snapshot) {
  snapshot_ = snapshot;
  if (tokenCount() > 0 && pinned_ >= tokenCount()) pinned_ = -1;  // otherwise a pin outlives a change of settings
  if (pointed_ >= tokenCount()) pointed_ = -1;
  weigh();
  layOut();
}

int TokensView::query() const {
  const bool rows = snapshot_ && snapshot_->attention.rows && !snapshot_->attention.rows->empty();
  if (!rows) return -1;
  return pinned_ >= 0 ? pinned_ : snapshot_->attention.rows->back()->query;
}

void TokensView::weigh() {
  weights_.clear();
  if (query() < 0) return;
  const MapSource source = MapSource::from(*snapshot_, head_, MapValue::weight);
  if (const AttentionRow* row = source.row(query())) weights_ = weightsOf(*row, mean_ ? -1 : source.head);
}

float TokensView::weightOf(int token) const {
  return token >= 0 && token < int(weights_.size()) ? weights_[token] : std::numeric_limits<float>::quiet_NaN();
}

ColorScale TokensView::scale() const { return ColorScale::forWeights(log_, query() + 1); }

TokensView::Frame TokensView::frameFor(const QSizeF& size, const QFontMetricsF& metrics) const {
  Frame frame;
  const double width = std::max(20.0, size.width() - 2 * kMargin), line = metrics.height();
  frame.heading = QRectF(kMargin, kMargin / 2, width, line + 8);
  const bool roomy = size.height() > 11 * line, beside = width > 2.2 * size.height() && width > 700;
  if (beside) return frameBeside(size, line, frame.heading);
  const double legend = roomy ? legendHeight(metrics, width, swatches(MapColors::from(palette()))) : 0;
  const double below = legend + (roomy ? kMargin : 0) + line + kMargin / 2;
  const double bottom = size.height() - kMargin / 2;
  frame.readout = QRectF(kMargin, bottom - line, width, line);
  frame.legend = QRectF(kMargin, frame.readout.top() - legend, width, legend);
  frame.text =
      QRectF(kMargin, frame.heading.bottom() + 2, width, std::max(10.0, bottom - below - frame.heading.bottom() - 2));
  return frame;
}

/// Wide and low: the legend stands on the right.
TokensView::Frame TokensView::frameBeside(const QSizeF& size, double line, const QRectF& heading) {
  constexpr double panel = 290;
  const double bottom = size.height() - kMargin / 2, width = heading.width() - panel - kMargin, top = heading.bottom() + 2;
  Frame frame;
  frame.heading = heading;
  frame.readout = QRectF(kMargin, bottom - line, width, line);
  frame.text = QRectF(kMargin, top, width, std::max(10.0, frame.readout.top() - kMargin / 2 - top));
  frame.legend = QRectF(frame.text.right() + 2 * kMargin, top + kMargin, panel - kMargin, bottom - top - kMargin);
  return frame;
}

TokensView::Frame TokensView::frameNow() const { return frameFor(QSizeF(size()), QFontMetricsF(font())); }

void TokensView::layOut() {
  const Frame frame = frameNow();
  const bool at_end = scroll_->value() >= scroll_->maximum();
  const int bar = scroll_->sizeHint().width();
  flow_.update(snapshot_ ? snapshot_->run : 0, snapshot_ ? snapshot_->tokens : nullptr, frame.text.width() - bar, font());
  const int hidden = int(std::ceil(flow_.height() - frame.text.height()));
  scroll_->setVisible(hidden > 0);
  scroll_->setRange(0, std::max(0, hidden));
  scroll_->setPageStep(int(frame.text.height()));
  scroll_->setSingleStep(int(flow_.lineHeight()));
  if (at_end) scroll_->setValue(scroll_->maximum());
  scroll_->setGeometry(int(frame.text.right()) - bar + 4, int(frame.text.top()), bar, int(frame.text.height()));
  const QSize button = mean_button_->sizeHint();
  mean_button_->setGeometry(width() - button.width() - 4, 2, button.width(),
                            std::min(button.height(), int(frame.heading.bottom())));
  update();
}

QRectF TokensView::tokenRect(int token) const {
  const Frame frame = frameNow();
  return flow_.rect(token).translated(frame.text.left(), frame.text.top() - scroll_->value());
}

QString TokensView::heading() const {
  if (tokenCount() == 0) return tr("Tokens");
  const auto& tokens = *snapshot_->tokens;
  const bool generated = std::any_of(tokens.rbegin(), tokens.rend(), [](const Token& token) { return token.generated; });
  QString count = tokenCount() == 1 ? tr("1 token") : tr("%1 tokens").arg(tokenCount());
  if (generated) count += tr(" (generated ones underlined)");
  if (query() < 0) return tr("%1, no attention recorded").arg(count);
  const MapSource source = MapSource::from(*snapshot_, head_, MapValue::weight);
  const QString from = pinned_ >= 0 ? tr("pinned query %1 “%2”") : tr("newest query %1 “%2”");
  const QString head = mean_ ? tr("mean of all heads") : tr("head h%1").arg(source.head);
  const bool thinned = query() < source.history.whole_from && source.history.stride > 1;
  const QString missing = !weights_.empty() ? QString() : thinned ? tr(" (its row was not kept)") : tr(" (not recorded)");
  return tr("%1 · attention of %2%3, layer %4, %5")
      .arg(count, from.arg(query()).arg(source.tokenLabel(query())), missing)
      .arg(source.history.layer + 1)
      .arg(head);
}

QString TokensView::readout() const {
  if (pointed_ < 0 || pointed_ >= tokenCount()) {
    if (tokenCount() == 0) return {};
    return pinned_ >= 0 ? tr("Esc follows the newest token again")
                        : tr("Point at a token for its weight; a click pins its row");
  }
  const Token& token = (*snapshot_->tokens)[pointed_];
  const MapSource source = MapSource::from(*snapshot_, head_, MapValue::weight);
  QString line = tr("token %1 “%2”").arg(pointed_).arg(source.tokenLabel(pointed_));
  if (token.id >= 0) line += tr(", id %1").arg(token.id);
  line += token.generated ? tr(", generated") : tr(", from the prompt");
  const float weight = weightOf(pointed_);
  return std::isnan(weight) ? line + tr(": no weight from query %1").arg(query())
                            : line + tr(": weight %1 from query %2").arg(fourDigits(weight)).arg(query());
}

void TokensView::Texts::draw(QPainter& painter, const QRectF& box, const QString& text) {
  if (painter.paintEngine()->type() != QPaintEngine::Raster)
    return painter.drawText(box, Qt::AlignLeft | Qt::AlignVCenter, text);
  if (font_ != painter.font() || set_.size() > 4096) set_.clear();  // every input vector has a text of its own
  font_ = painter.font();
  auto set = set_.find(text);
  if (set == set_.end()) {
    QStaticText laid_out(text);
    laid_out.setTextFormat(Qt::PlainText);
    laid_out.prepare({}, font_);
    set = set_.insert(text, laid_out);
  }
  painter.drawStaticText(QPointF(box.left(), std::round(box.center().y() - set->size().height() / 2)), *set);
}

void TokensView::paintToken(QPainter& painter, const QRectF& rect, int token, const ColorScale& scale,
                            const MapColors& colors) const {
  const Token& shown = (*snapshot_->tokens)[token];
  const float weight = weightOf(token);
  const QRectF box = rect.adjusted(0, 1, 0, -1);
  QColor ink = colors.text;
  if (!std::isnan(weight)) {
    painter.fillRect(box, QColor(scale.color(weight)));
    ink = inkOn(scale.color(weight));
  }
  painter.setPen(ink);
  texts_.draw(painter, box, TokenFlow::textOf(shown));
  if (shown.generated) painter.drawLine(QPointF(box.left(), box.bottom() - 2), QPointF(box.right(), box.bottom() - 2));
  painter.setBrush(Qt::NoBrush);
  if (token == query()) {
    painter.setPen(QPen(colors.accent, pinned_ >= 0 ? 3 : 2));
    painter.drawRect(box);
  } else if (token == pointed_) {
    painter.setPen(QPen(colors.text, 1));
    painter.drawRect(box);
  }
}

void TokensView::paint(QPainter& painter, const QSizeF& size, const Frame& frame, const TokenFlow& flow, double scrolled,
                       bool hints) const {
  const MapColors colors = MapColors::from(palette());
  const QFontMetricsF metrics(painter.font());
  painter.fillRect(QRectF(QPointF(0, 0), size), colors.background);
  painter.setPen(colors.faint);
  const double beside = hints ? mean_button_->width() : 0;
  painter.drawText(frame.heading, Qt::AlignLeft | Qt::AlignVCenter,
                   metrics.elidedText(heading(), Qt::ElideRight, frame.heading.width() - beside));
  painter.save();
  painter.setClipRect(frame.text.adjusted(-3, 0, 3, 0));
  painter.setFont(flow.font());
  const ColorScale colorScale = scale();
  const int last_line = int(std::ceil((scrolled + frame.text.height()) / flow.lineHeight() - 0.01)) - 1;
  for (int token = flow.firstOf(int(scrolled / flow.lineHeight())); token < flow.count(); ++token) {
    const QRectF rect = flow.rect(token);
    if (int(std::lround(rect.top() / flow.lineHeight())) > last_line) break;
    paintToken(painter, rect.translated(frame.text.left(), frame.text.top() - scrolled), token, colorScale, colors);
  }
  painter.restore();
  if (!frame.legend.isEmpty() && query() >= 0) {
    paintLegend(painter, frame.legend, tr("attention weight from query %1").arg(query()), colorScale, swatches(colors),
                colors);
  }
  if (!hints) return;
  painter.setPen(pointed_ >= 0 ? colors.text : colors.faint);
  painter.drawText(frame.readout, Qt::AlignLeft | Qt::AlignVCenter,
                   metrics.elidedText(readout(), Qt::ElideRight, frame.readout.width()));
}

void TokensView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paint(painter, QSizeF(size()), frameNow(), flow_, scroll_->value(), true);
}

void TokensView::paintTo(QPainter& painter, const QSizeF& size) {
  painter.setFont(font());
  Frame frame = frameFor(size, QFontMetricsF(painter.font()));
  const bool beside = frame.legend.left() > frame.text.right();
  TokenFlow flow;
  for (const double zoom : {2.0, 1.5, 1.25, 1.0}) {  // as large as fits
    QFont large = font();
    large.setPointSizeF(zoom * QFontInfo(font()).pointSizeF());
    flow.update(snapshot_ ? snapshot_->run : 0, snapshot_ ? snapshot_->tokens : nullptr, frame.text.width(), large);
    if (flow.height() <= frame.text.height()) break;
  }
  const int lines = std::max(1, int(frame.text.height() / flow.lineHeight())), hidden = std::max(0, flow.lines() - lines);
  frame.text.setHeight(std::min(lines, std::max(1, flow.lines())) * flow.lineHeight());
  if (!beside) frame.legend.moveTop(frame.text.bottom() + kMargin);
  paint(painter, size, frame, flow, hidden * flow.lineHeight(), false);
  if (hidden == 0) return;
  painter.setPen(MapColors::from(palette()).faint);
  painter.drawText(frame.readout, Qt::AlignLeft | Qt::AlignVCenter,
                   tr("tokens before %1 do not fit and are not shown").arg(flow.firstOf(hidden)));
}

Table TokensView::table() const {
  Table table{{"position", "id", "text", "generated", "weight"}, {}};
  for (int i = 0; i < tokenCount(); ++i) {
    const Token& token = (*snapshot_->tokens)[i];
    const float weight = weightOf(i);
    table.rows.push_back({std::to_string(i), std::to_string(token.id), token.text, token.generated ? "true" : "false",
                          std::isnan(weight) ? std::string() : QString::number(double(weight), 'g', 9).toStdString()});
  }
  return table;
}

}  // namespace mla::ui
