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

  /// Shows a split without telling anybody. `full_rope`: the RoPE values that an elastic model was trained with; its NoPE
  /// part stays as it is, and what RoPE lacks is shown as left out.
  void setSplit(int nope, int rope, int full_rope = 0);
  int nope() const { return trained_nope_ > 0 ? trained_nope_ : value(); }
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

  int trained_nope_ = 0;  // of an elastic model; 0: RoPE takes its part from NoPE
};

}  // namespace mla::ui
