#pragma once

#include <QCheckBox>

#include "ui/views/compare_canvas.h"
#include "ui/views/control_row.h"
#include "ui/views/view.h"

namespace mla::ui {

/// Side by side: one head of two experiments on the same tokens, the difference of its weights, and what each costs.
class CompareView : public View {
  Q_OBJECT
 public:
  explicit CompareView(QWidget* parent = nullptr);
  QString viewName() const override { return QStringLiteral("compare"); }
  QString title() const override { return tr("Side by side"); }
  void setSnapshot(const SnapshotPtr& snapshot) override;
  void paintTo(QPainter& painter, const QSizeF& size) override;
  /// What each costs, then every pair of the shown head: query, key, first, second, difference.
  Table table() const override { return compareTable(scene_); }
  std::vector<ViewOption> options() override {
    return {{"colours", {"linear", "log"}, scene_.log ? 1 : 0, [this](int i) { setLog(i == 1); }}};
  }
  std::optional<Topic> topic() const override { return Topic::comparison; }
  const CompareScene& scene() const { return scene_; }
  CompareCanvas* canvas() const { return canvas_; }

 public slots:
  void setHead(int head);
  void setLog(bool on);

 private:
  void showScene();

  CompareScene scene_;
  HeadBox* head_box_;
  QCheckBox* log_box_;
  CompareCanvas* canvas_;
};

}  // namespace mla::ui
