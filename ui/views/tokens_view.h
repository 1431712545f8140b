#pragma once

#include <QScrollBar>
#include <QStaticText>
#include <QToolButton>
#include <vector>

#include "ui/views/color_map.h"
#include "ui/views/map_flow.h"
#include "ui/views/view.h"

namespace mla::ui {

/// The tokens as running text, each coloured by the attention it gets from one query: the newest, or a pinned one.
class TokensView : public View {
  Q_OBJECT
 public:
  explicit TokensView(QWidget* parent = nullptr);

  QString viewName() const override { return QStringLiteral("tokens"); }
  QString title() const override { return tr("Tokens"); }
  void setSnapshot(const SnapshotPtr& snapshot) override;
  void paintTo(QPainter& painter, const QSizeF& size) override;
  /// position, id, text, generated, weight (empty where the query gives the token none).
  Table table() const override;

  /// The query whose weights are shown; -1 while there is none.
  int query() const;
  /// What it gives a token; not a number where there is no weight.
  float weightOf(int token) const;
  /// Where a token lies on the widget at present.
  QRectF tokenRect(int token) const;
  ColorScale scale() const;
  /// The line at the bottom: what the token pointed at is and gets.
  QString readout() const;

 public slots:
  void setHead(int head);
  void setMean(bool on);  ///< the mean over heads instead of one
  void setLog(bool on);
  /// Shows the weights of that query; -1 follows the newest.
  void pinQuery(int position);

 signals:
  void tokenChosen(int position);  ///< -1: none any more

 protected:
  bool event(QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  /// Texts as they were laid out for an earlier frame: that takes longer than drawing them. In files they stay text.
  class Texts {
   public:
    void draw(QPainter& painter, const QRectF& box, const QString& text);

   private:
    QFont font_;
    QHash<QString, QStaticText> set_;
  };
  struct Frame {
    QRectF heading, text, legend, readout;
  };
  Frame frameFor(const QSizeF& size, const QFontMetricsF& metrics) const;
  static Frame frameBeside(const QSizeF& size, double line, const QRectF& heading);
  Frame frameNow() const;
  int tokenCount() const { return snapshot_ && snapshot_->tokens ? int(snapshot_->tokens->size()) : 0; }
  int tokenAt(QPointF point) const;
  QString heading() const;
  void layOut();
  void weigh();
  void choose(int token);
  void point(int token);
  void paint(QPainter& painter, const QSizeF& size, const Frame& frame, const TokenFlow& flow, double scrolled,
             bool hints) const;
  void paintToken(QPainter& painter, const QRectF& rect, int token, const ColorScale& scale, const MapColors& colors) const;

  SnapshotPtr snapshot_;
  int head_ = 0, pinned_ = -1, pointed_ = -1;
  bool mean_ = false, log_ = true;
  std::vector<float> weights_;  ///< by key, of query()
  TokenFlow flow_;
  mutable Texts texts_;
  QScrollBar* scroll_;
  QToolButton* mean_button_;
};

}  // namespace mla::ui
