#pragma once

#include <QPainter>
#include <QString>
#include <QWidget>
#include <optional>
#include <string>
#include <vector>

#include "ui/session/snapshot.h"
#include "ui/session/study.h"

namespace mla::ui {

/// The numbers of a view, as its CSV holds them and as a screen reader can walk them.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
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
};

}  // namespace mla::ui
