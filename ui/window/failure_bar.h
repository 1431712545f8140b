#pragma once

#include <QWidget>

#include "ui/session/snapshot.h"

class QLabel;
class QPushButton;

namespace mla::ui {

/// Says why a run ended, where it ran on another device than the processor, and offers to go on with the processor. Hidden
/// otherwise.
class FailureBar : public QWidget {
  Q_OBJECT
 public:
  explicit FailureBar(QWidget* parent = nullptr);
  /// `backend`: the one that the experiment asked for.
  void setSnapshot(const Snapshot& snapshot, const std::string& backend);

 signals:
  void cpuWanted();

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QLabel* reason_;
  QPushButton* use_cpu_;
};

}  // namespace mla::ui
