#include "ui/views/rank_view.h"

#include <QFontMetricsF>
#include <algorithm>

#include "ui/charts/chart_view.h"
#include "ui/theme/theme.h"
#include "ui/views/rank_charts.h"

namespace mla::ui {
namespace {

constexpr int kMargin = 6;

/// Wide panes have the charts side by side.
bool isWide(const QSizeF& size) { return size.width() > 1.4 * size.height(); }

/// Height of the note below the charts; 0 where it would take more than a quarter of the picture.
double noteHeight(const QString& text, const QFont& font, const QSizeF& size) {
  const QRectF room(0, 0, std::max(1.0, size.width() - 2 * kMargin), 1e4);
  const double height = QFontMetricsF(font).boundingRect(room, Qt::TextWordWrap, text).height() + kMargin;
  return height > size.height() / 4 ? 0 : height;
}

}  // namespace

RankView::RankView(QWidget* parent)
    : View(parent),
      shares_(new LineChart),
      bits_(new LineChart),
      box_(new QBoxLayout(QBoxLayout::LeftToRight)),
      note_(new QLabel) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins({});
  column->setSpacing(0);
  column->addLayout(box_, 1);
  column->addWidget(note_);
  note_->setWordWrap(true);
  note_->setMargin(kMargin);
  note_->setFont(smallFont(font()));
  box_->addWidget(shares_);
  box_->addWidget(bits_);
  shares_->setAccessibleName(tr("Chart of energy kept and attention moved against rank"));
  bits_->setAccessibleName(tr("Chart of bits per token lost against rank"));
  setFocusProxy(shares_);
  setSnapshot({});
}

void RankView::setSnapshot(const SnapshotPtr& snapshot) {
  const auto curve = snapshot ? snapshot->rank : nullptr;
  QString empty;
  if (!curve || curve->points.empty()) {
    empty = snapshot ? emptyText(*snapshot) : QString();
    if (!snapshot || (snapshot->activity.isEmpty() && snapshot->error.isEmpty()))
      empty = tr("not measured yet: the rank lens needs a trained model with a vocabulary");
    if (snapshot && !snapshot->rank_note.isEmpty()) empty = snapshot->rank_note;
  }
  if (shown_ && curve == curve_ && empty == empty_) return;
  shown_ = true;
  curve_ = curve;
  empty_ = empty;
  ChartData shares = rankShares(curve ? *curve : RankCurve()), bits = rankBits(curve ? *curve : RankCurve());
  shares.empty = bits.empty = empty;
  note_->setText(curve ? QString::fromStdString(curve->note) : QString());
  note_->setVisible(!note_->text().isEmpty());
  shares_->setData(std::move(shares));
  bits_->setData(std::move(bits));
}

void RankView::paintTo(QPainter& painter, const QSizeF& size) {
  const QFont font = smallFont(painter.font());
  const double below = note_->text().isEmpty() ? 0 : noteHeight(note_->text(), font, size);
  const double height = size.height() - below;
  const bool wide = isWide(size);
  const QSizeF each(wide ? size.width() / 2 : size.width(), wide ? height : height / 2);
  shares_->paintTo(painter, each);
  painter.save();
  painter.translate(wide ? each.width() : 0, wide ? 0 : each.height());
  bits_->paintTo(painter, each);
  painter.restore();
  if (below <= 0) return;
  painter.save();
  painter.fillRect(QRectF(0, height, size.width(), below), palette().color(QPalette::Base));
  painter.setFont(font);
  painter.setPen(mutedText(palette()));
  painter.drawText(QRectF(kMargin, height, size.width() - 2 * kMargin, below), Qt::AlignLeft | Qt::TextWordWrap,
                   note_->text());
  painter.restore();
}

Table RankView::table() const { return rankTable(curve_ ? *curve_ : RankCurve()); }

void RankView::resizeEvent(QResizeEvent* event) {
  box_->setDirection(isWide(QSizeF(size())) ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
  View::resizeEvent(event);
}

}  // namespace mla::ui
