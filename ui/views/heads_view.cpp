#include "ui/views/heads_view.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ui/theme/theme.h"
#include "ui/views/head_labels.h"
#include "ui/views/map_legend.h"
#include "ui/views/map_summary.h"

namespace mla::ui {
namespace {

constexpr double kMargin = 8;
constexpr double kSmallest = 52;  // the smallest tile that is still worth looking at

/// Whether rows were only added within the last row of cells. More rows than before rules out that they were pooled anew.
bool onlyNewestDiffer(const PooledMaps& old, const PooledMaps& now) {
  return old.heads() == now.heads() && old.value() == now.value() && old.used() == now.used() &&
         old.tokens_per_cell() == now.tokens_per_cell() && old.rows() <= now.rows();
}

}  // namespace

HeadsView::HeadsView(QWidget* parent) : View(parent), scroll_(new QScrollBar(Qt::Vertical, this)) {
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(120, 90);
  setAccessibleName(tr("All heads"));
  scroll_->setAccessibleName(tr("Scroll through the heads"));
  scroll_->hide();
  connect(scroll_, &QScrollBar::valueChanged, this, qOverload<>(&QWidget::update));
}

const PooledMaps* HeadsView::maps() const { return snapshot_ ? snapshot_->attention.thumbnails.get() : nullptr; }

void HeadsView::setSnapshot(const SnapshotPtr& snapshot) {
  const SnapshotPtr before = std::exchange(snapshot_, snapshot);
  const PooledMaps* old = before ? before->attention.thumbnails.get() : nullptr;
  if (!maps() || maps() != old) {
    const ColorScale scale_before = scaleOf(before);
    largest_ = maps() && maps()->value() != MapValue::weight ? largestOf(*maps()) : 0;
    if (old && maps() && before->run == snapshot->run && scale() == scale_before && onlyNewestDiffer(*old, *maps())) {
      stale_.assign(heads(), true);
    } else {
      forgetImages();
    }
    updateScrollBar();
  }
  update();
}

ColorScale HeadsView::scaleOf(const SnapshotPtr& snapshot) const {
  const AttentionHistory history = snapshot ? snapshot->attention : AttentionHistory();
  const int keys = history.rows && !history.rows->empty() ? history.rows->back()->keys : 1;
  return ColorScale::of(history.thumbnails ? history.thumbnails->value() : value_, log_, keys, largest_);
}

void HeadsView::forgetImages() {
  images_.assign(heads(), QImage());
  stale_.assign(heads(), false);
}

HeadsView::Frame HeadsView::frameFor(const QSizeF& size, const QFontMetricsF& metrics, double smallest) const {
  Frame frame;
  const double width = std::max(20.0, size.width() - 2 * kMargin);
  const auto swatches = mapSwatches(MapColors::from(palette()));
  const double legend = size.height() > 240 ? legendHeight(metrics, width, swatches) : 0;
  frame.legend = QRectF(kMargin, size.height() - kMargin - legend, width, legend);
  const double top = kMargin + metrics.height() + 4;
  frame.grid = QRectF(kMargin, top, width, std::max(20.0, frame.legend.top() - (legend > 0 ? kMargin : 0) - top));
  frame.tiles = arrangeTiles(frame.grid.size(), heads(), metrics.height(), smallest);
  if (frame.tiles.height() > frame.grid.height() && smallest > 0 && heads() > 0) {
    const QSizeF beside(frame.grid.width() - scroll_->sizeHint().width() - 4, frame.grid.height());
    frame.tiles = arrangeTiles(beside, heads(), metrics.height(), smallest);
  } else if (frame.tiles.tile < 2 * metrics.height()) {  // a label would be wider than its tile
    frame.tiles = arrangeTiles(frame.grid.size(), heads(), 0, 0);
  }
  const QSizeF spare = frame.grid.size() - QSizeF(frame.tiles.width(), frame.tiles.height());
  frame.origin = frame.grid.topLeft() + QPointF(std::max(0.0, spare.width() / 2), std::max(0.0, spare.height() / 2));
  return frame;
}

HeadsView::Frame HeadsView::frameNow() const { return frameFor(QSizeF(size()), QFontMetricsF(font()), kSmallest); }

void HeadsView::updateScrollBar() {
  const Frame frame = frameNow();
  const int hidden = int(std::ceil(frame.tiles.height() - frame.grid.height()));
  scroll_->setVisible(hidden > 0);
  scroll_->setRange(0, std::max(0, hidden));
  scroll_->setPageStep(int(frame.grid.height()));
  scroll_->setSingleStep(int(frame.tiles.tile + frame.tiles.label));
  const int width = scroll_->sizeHint().width();
  scroll_->setGeometry(this->width() - width - 1, int(frame.grid.top()), width, int(frame.grid.height()));
}

QRectF HeadsView::tileRect(int head) const {
  const Frame frame = frameNow();
  return frame.tiles.tileRect(head).translated(frame.origin.x(), frame.origin.y() - scroll_->value());
}

int HeadsView::headAt(QPointF point) const {
  const Frame frame = frameNow();
  if (!frame.grid.contains(point)) return -1;
  return frame.tiles.tileAt(point - frame.origin + QPointF(0, scroll_->value()));
}

QString HeadsView::headline() const {
  if (!maps()) return tr("Heads");
  QString line = tr("Layer %1 of %2, all heads: %3")
                     .arg(snapshot_->attention.layer + 1)
                     .arg(snapshot_->experiment.layers)
                     .arg(titleOf(maps()->value()));
  if (maps()->tokens_per_cell() > 1) line += tr(", max of %1×%1 tokens a cell").arg(maps()->tokens_per_cell());
  if (const int all = maps()->queries(); maps()->rows() < all) line += tr(", %1 of %2 queries").arg(maps()->rows()).arg(all);
  return line;
}

void HeadsView::paintTile(QPainter& painter, const QRectF& tile, const QRectF& label, int head, QImage& image,
                          const ColorScale& scale, const MapColors& colors) const {
  const double pixels = tile.width() * std::max(1.0, std::abs(painter.combinedTransform().m11()));
  if (image.isNull()) {
    image = thumbnailOf(*maps(), head, int(pixels), scale, colors);
  } else if (stale_[head]) {
    repaintNewest(image, *maps(), head, int(pixels), scale, colors);
    stale_[head] = false;
  }
  painter.drawImage(tile, image);
  const bool chosen = head == std::min(head_, heads() - 1);
  painter.setBrush(Qt::NoBrush);
  painter.setPen(chosen ? QPen(colors.accent, 3) : QPen(head == hovered_ ? colors.text : colors.frame, 1));
  painter.drawRect(chosen ? tile.adjusted(-1, -1, 1, 1) : tile);
  if (label.isEmpty()) return;
  painter.setPen(chosen ? colors.text : colors.faint);
  painter.setFont(chosen ? strongFont(font()) : font());
  QString text = QStringLiteral("h%1").arg(head);
  const HeadScore* score = headScore(*snapshot_, head);
  if (const QString kinds = score ? kindsLabel(*score) : QString(); !kinds.isEmpty()) text += QStringLiteral(" · ") + kinds;
  painter.drawText(label, Qt::AlignLeft | Qt::AlignVCenter,
                   QFontMetricsF(painter.font()).elidedText(text, Qt::ElideRight, label.width()));
  painter.setFont(font());
}

void HeadsView::paint(QPainter& painter, const QSizeF& size, const Frame& frame, double scrolled,
                      std::vector<QImage>& images) const {
  const MapColors colors = MapColors::from(palette());
  painter.fillRect(QRectF(QPointF(0, 0), size), colors.background);
  painter.setFont(strongFont(font()));
  painter.setPen(colors.text);
  painter.drawText(QRectF(kMargin, kMargin, frame.grid.width(), frame.grid.top() - kMargin), Qt::AlignLeft | Qt::AlignTop,
                   QFontMetricsF(painter.font()).elidedText(headline(), Qt::ElideRight, frame.grid.width()));
  painter.setFont(font());
  if (!maps()) {
    const QString message =
        snapshot_ && !snapshot_->activity.isEmpty() ? snapshot_->activity : tr("No attention recorded yet");
    painter.setPen(colors.faint);
    painter.drawText(frame.grid, Qt::AlignCenter | Qt::TextWordWrap, message);
    return;
  }
  painter.save();
  painter.setClipRect(frame.grid.adjusted(-3, 0, 3, 3));
  const ColorScale colorScale = scale();
  for (int head = 0; head < heads(); ++head) {
    const QPointF by(frame.origin.x(), frame.origin.y() - scrolled);
    const QRectF tile = frame.tiles.tileRect(head).translated(by), label = frame.tiles.labelRect(head).translated(by);
    if (tile.bottom() < frame.grid.top() || label.top() > frame.grid.bottom()) continue;
    paintTile(painter, tile, label, head, images[head], colorScale, colors);
  }
  painter.restore();
  if (!frame.legend.isEmpty())
    paintLegend(painter, frame.legend, titleOf(maps()->value()), colorScale, mapSwatches(colors), colors);
}

void HeadsView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  paint(painter, QSizeF(size()), frameNow(), scroll_->value(), images_);
}

void HeadsView::paintTo(QPainter& painter, const QSizeF& size) {
  painter.setFont(font());
  std::vector<QImage> images(heads());
  paint(painter, size, frameFor(size, QFontMetricsF(painter.font()), 0), 0, images);
}

Table HeadsView::table() const {
  Table table{
      {"head", "queries", "mean_entropy_bits", "max_weight", "mean_first_token_weight", "mean_self_weight", "mean_distance"},
      {}};
  if (!snapshot_) return table;
  const auto number = [](double value) { return QString::number(value, 'g', 9).toStdString(); };
  for (const HeadSummary& s : summarize(snapshot_->attention)) {
    table.rows.push_back({std::to_string(s.head), std::to_string(s.queries), number(s.mean_entropy_bits),
                          number(s.max_weight), number(s.mean_first_weight), number(s.mean_self_weight),
                          number(s.mean_distance)});
  }
  return table;
}

}  // namespace mla::ui
