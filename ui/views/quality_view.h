#pragma once

#include "ui/charts/chart_view.h"

namespace mla::ui {

/// What MLA buys: bits per byte on the held-out excerpt, measured, against the bytes that a token takes in the cache; of an
/// elastic model at every latent, with the plain models beside it.
class QualityView : public ChartView {
  Q_OBJECT
 public:
  explicit QualityView(QWidget* parent = nullptr);
  QString viewName() const override { return QStringLiteral("quality"); }
  QString title() const override { return tr("Quality"); }
  Table table() const override;
  std::optional<Topic> topic() const override { return Topic::curve; }

 protected:
  ChartData build(const Snapshot& snapshot) const override;
};

}  // namespace mla::ui
