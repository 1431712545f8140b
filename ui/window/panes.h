#pragma once

#include <QByteArray>
#include <QDockWidget>
#include <QMainWindow>
#include <QObject>
#include <vector>

#include "ui/views/view.h"
#include "ui/window/pane_title.h"

namespace mla::ui {

/// The panes of the window: one in the centre, docks around it that can be moved, hidden and detached, each of which can be
/// enlarged to the whole window and back.
class Panes : public QObject {
  Q_OBJECT
 public:
  explicit Panes(QMainWindow& window);

  void setCentre(const QString& title, QWidget* content);
  /// `name` identifies the dock in a saved layout.
  QDockWidget* add(const QString& name, const QString& title, QWidget* content, Qt::DockWidgetArea area);
  QDockWidget* add(View* view, Qt::DockWidgetArea area);
  /// A dock that lies behind that of another view, as a tab.
  QDockWidget* addBehind(View* view, View* front);
  const std::vector<QDockWidget*>& docks() const { return docks_; }
  QWidget* centre() const { return centre_; }

  /// What there is now is what resetLayout() goes back to.
  void noteDefaultLayout() { default_layout_ = window_.saveState(kVersion); }
  void resetLayout();
  /// The layout without any enlargement.
  QByteArray layout() const { return maximised_ ? before_ : window_.saveState(kVersion); }
  void setLayout(const QByteArray& layout);

  QWidget* maximised() const { return maximised_; }
  /// Enlarges a pane (a dock or the centre), or goes back if any is enlarged.
  void toggleMaximised(QWidget* pane);
  /// The pane that a widget lies in; the centre where it lies in none.
  QWidget* paneOf(QWidget* widget) const;

 signals:
  void maximisedChanged(bool any);

 private:
  static constexpr int kVersion = 2;  // of saved layouts
  void maximise(QWidget* pane);
  void restore();
  void showTitles();
  PaneTitle* newTitle(const QString& title, bool movable, QWidget* pane);

  QMainWindow& window_;
  QWidget* centre_ = nullptr;
  std::vector<QDockWidget*> docks_;
  std::vector<PaneTitle*> titles_;
  QByteArray default_layout_;
  QByteArray before_;  // the enlargement
  QWidget* maximised_ = nullptr;
};

}  // namespace mla::ui
