#pragma once

#include <QCheckBox>

#include "ui/views/control_row.h"
#include "ui/views/coupled_maps.h"
#include "ui/views/view.h"

namespace mla::ui {

/// "Break it": what becomes of absorption when RoPE is applied to the up-projected keys. A switch couples and decouples; the
/// head can be chosen, at first it is the one that suffers most.
class CoupledView : public View {
  Q_OBJECT
 public:
  explicit CoupledView(QWidget* parent = nullptr);
  QString viewName() const override { return QStringLiteral("coupled"); }
  QString title() const override { return tr("Break it"); }
  void setSnapshot(const SnapshotPtr& snapshot) override;
  void paintTo(QPainter& painter, const QSizeF& size) override;
  /// Every pair of the shown head: query, key, expanded, absorbed, difference.
  Table table() const override;
  std::vector<ViewOption> options() override {
    return {{"rope", {"decoupled", "coupled"}, scene_.coupled ? 1 : 0, [this](int i) { setCoupled(i == 1); }}};
  }
  std::optional<Topic> topic() const override { return Topic::coupling; }
  const CoupledScene& scene() const { return scene_; }

 public slots:
  void setCoupled(bool coupled);
  void setHead(int head);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void showScene();

  CoupledScene scene_;
  QCheckBox* switch_;
  HeadBox* head_box_;
  QWidget* canvas_;
};

}  // namespace mla::ui
