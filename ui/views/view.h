#pragma once

#include <QPainter>
#include <QString>
#include <QWidget>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/spec/saved_experiment.h"
#include "ui/session/snapshot.h"
#include "ui/session/study.h"

namespace mla::ui {

/// The numbers of a view, as its CSV holds them and as a screen reader can walk them.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

/// Something a person chooses in a view and files keep.
struct ViewOption {
  std::string name;
  std::vector<std::string> choices;
  int chosen = 0;
  std::function<void(int)> choose;
};

/// A pane that shows one aspect of a snapshot. Holds no engine and computes nothing but pixels.
class View : public QWidget {
  Q_OBJECT
 public:
  using QWidget::QWidget;
  /// As `render --view` and export file names have it: "attention", "memory" …
  virtual QString viewName() const = 0;
  /// As the dock's title has it, translated.
  virtual QString title() const = 0;
  /// Shows the snapshot from now on. Called on the window's thread, returns within a few milliseconds.
  virtual void setSnapshot(const SnapshotPtr& snapshot) = 0;
  /// Paints what the view shows into a rectangle of that size, background included, as vectors where it can; for files.
  virtual void paintTo(QPainter& painter, const QSizeF& size) = 0;
  virtual Table table() const = 0;
  /// What has to be found out beside the decode for this view; only while it is visible.
  virtual std::optional<Topic> topic() const { return {}; }
  virtual std::vector<ViewOption> options() { return {}; }

  /// What is chosen now.
  ViewState state();
};

/// Chooses in each view what was chosen there. All or nothing: the error names the view, the option or its choice, and what
/// there is.
Status restoreViews(const std::vector<View*>& views, const std::map<std::string, ViewState>& states);

}  // namespace mla::ui
