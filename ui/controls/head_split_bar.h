#pragma once

#include <QAbstractSlider>

namespace mla::ui {

/// One attention head as a bar: its NoPE part left, its RoPE part right, a divider between them that can be dragged, moved
/// by the arrow keys or turned by the wheel. The slider's value is the size of the NoPE part; RoPE turns pairs, so it stays
/// even.
class HeadSplitBar : public QAbstractSlider {
  Q_OBJECT
 public:
  explicit HeadSplitBar(QWidget* parent = nullptr);

  /// Shows a split without telling anybody.
  void setSplit(int nope, int rope);
  int nope() const { return value(); }
  int rope() const { return maximum() - value(); }
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 signals:
  void ropeChosen(int rope);

 protected:
  void paintEvent(QPaintEvent*) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;

 private:
  int dividerX() const;
  int nopeAt(double x) const;
  void paintPart(class QPainter& painter, const QRect& area, const QString& name, int values, int color) const;
};

}  // namespace mla::ui
