#pragma once

#include <QFrame>
#include <QLabel>
#include <QToolButton>

namespace mla::ui {

/// The line above a pane: its name, and buttons to enlarge it, let it float and hide it. A double-click enlarges too.
class PaneTitle : public QFrame {
  Q_OBJECT
 public:
  /// `movable`: the pane can float and be hidden; the one in the centre can't.
  PaneTitle(const QString& title, bool movable, QWidget* parent = nullptr);

  void setMaximised(bool maximised);

 signals:
  void maximiseWanted();
  void floatWanted();
  void hideWanted();

 protected:
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  QToolButton* addButton(const QString& name, const QString& tip);
  void showIcons();

  QToolButton* maximise_;
  QToolButton* float_ = nullptr;
  QToolButton* hide_ = nullptr;
  bool maximised_ = false;
};

}  // namespace mla::ui
