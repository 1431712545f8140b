#pragma once

#include <QSpinBox>
#include <vector>

namespace mla::ui {

/// A box that chooses one of a model's heads.
class HeadBox : public QSpinBox {
  Q_OBJECT
 public:
  explicit HeadBox(const QString& tip);
  /// Shows this head as one of so many, silently; greyed out where there is no choice.
  void showHead(int head, int heads);
};

/// Lays a view out: its controls in one row, each box after its label, and what they control below.
void layOutBelow(QWidget* view, const std::vector<QWidget*>& controls, QWidget* picture);

}  // namespace mla::ui
