#pragma once

#include <QPixmap>
#include <QWidget>
#include <memory>
#include <optional>

#include "ui/charts/chart_picture.h"

namespace mla::ui {

/// A chart on the screen. Hovering shows the exact numbers of the nearest point; with the keyboard focus, the arrow keys
/// walk along a series (left, right, home, end) and between them (up, down), and escape lets go.
class Chart : public QWidget {
  Q_OBJECT
 public:
  explicit Chart(ChartKind kind, QWidget* parent = nullptr);
  ~Chart() override;

  /// Shows the data from the next repaint on; cheap, and the newest data win. The same data again cost nothing.
  void setData(ChartData data);
  const ChartData& data() const { return data_; }
  /// Draws the data now, so that the next repaint only copies; a repaint does the same where this was not called. False: it
  /// was drawn already.
  bool draw();
  /// A small widget in the upper right corner, for which the first line keeps free; taken over as a child. Not in files.
  void setCorner(QWidget* corner);

  /// The chart at any size, background included, as vectors.
  void paintTo(QPainter& painter, const QSizeF& size) const;
  Table table() const { return tableOf(data_); }

  /// What is drawn now, up to date.
  const ChartPicture& picture();
  /// The point whose numbers are shown; none while nobody looks.
  const std::optional<Mark>& mark() const { return mark_; }

  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 signals:
  void marked(const QString& text);  ///< the numbers that are being looked at; empty when nobody does any more

 protected:
  bool event(QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void setMark(std::optional<Mark> mark);
  void invalidate();
  void layOut();
  void paintBody(QPainter& painter);

  ChartKind kind_;
  ChartData data_;
  ChartPicture picture_;
  bool stale_ = true;  // data, size, font or palette changed since picture_ was laid out
  QPixmap drawn_;      // the picture as the screen shows it; null: to be drawn
  std::optional<Mark> mark_;
  QWidget* corner_ = nullptr;
};

/// Lines of values over a linear or logarithmic axis: measured ones solid, computed ones dashed.
class LineChart : public Chart {
 public:
  explicit LineChart(QWidget* parent = nullptr) : Chart(ChartKind::lines, parent) {}
};

/// Parts of a whole, stacked; all stacked series share their x.
class StackedAreaChart : public Chart {
 public:
  explicit StackedAreaChart(QWidget* parent = nullptr) : Chart(ChartKind::stack, parent) {}
};

}  // namespace mla::ui
