#pragma once

#include <QWidget>

#include "ui/views/compare_painter.h"

namespace mla::ui {

/// The painting of a comparison on the screen: pointing at a cell, or walking to it by arrow keys, marks it on all three
/// maps and reads out its numbers.
class CompareCanvas : public QWidget {
  Q_OBJECT
 public:
  explicit CompareCanvas(QWidget* parent = nullptr);
  /// The cell in focus stays as far as there is one.
  void setScene(CompareScene scene);
  const CompareScene& scene() const { return scene_; }

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void setFocusCell(const std::optional<TriangleCell>& cell);
  void moveCell(int queries, int keys);
  void describe();

  CompareScene scene_;
  CompareImages images_;
};

}  // namespace mla::ui
