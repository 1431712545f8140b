#pragma once

#include <QBoxLayout>
#include <QLabel>

#include "ui/charts/chart.h"
#include "ui/views/view.h"

namespace mla::ui {

/// The rank lens: what is lost when each layer's latent is cut to its best k directions, in two charts over k, and what that
/// leaves out.
class RankView : public View {
  Q_OBJECT
 public:
  explicit RankView(QWidget* parent = nullptr);
  QString viewName() const override { return QStringLiteral("rank"); }
  QString title() const override { return tr("Rank lens"); }
  void setSnapshot(const SnapshotPtr& snapshot) override;
  void paintTo(QPainter& painter, const QSizeF& size) override;
  Table table() const override;
  std::optional<Topic> topic() const override { return Topic::rank; }

  const Chart& shares() const { return *shares_; }
  const Chart& bits() const { return *bits_; }

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  std::shared_ptr<const RankCurve> curve_;
  bool shown_ = false;
  QString empty_;
  Chart *shares_, *bits_;
  QBoxLayout* box_;
  QLabel* note_;
};

}  // namespace mla::ui
