#pragma once

#include <QActionGroup>
#include <QSpinBox>
#include <QToolBar>

#include "ui/session/session.h"
#include "ui/views/map_canvas.h"
#include "ui/views/view.h"

namespace mla::ui {

/// One head's attention, large, with its controls.
class AttentionView : public View {
  Q_OBJECT
 public:
  explicit AttentionView(QWidget* parent = nullptr);

  QString viewName() const override { return QStringLiteral("attention"); }
  QString title() const override { return tr("Attention"); }
  void setSnapshot(const SnapshotPtr& snapshot) override;
  void paintTo(QPainter& painter, const QSizeF& size) override;
  /// Every recorded cell of the shown head: query, key, query_token, key_token, weight, score_nope, score_rope. At most
  /// `table_cells` of them, those of the newest queries.
  Table table() const override;
  std::vector<ViewOption> options() override;
  static constexpr std::int64_t table_cells = 500000;

  MapCanvas* canvas() const { return canvas_; }
  int head() const { return canvas_->source().head; }
  MapValue value() const { return value_; }

 public slots:
  void setHead(int head);
  void setLayer(int layer);
  void setValue(mla::MapValue value);
  void setLog(bool on);
  /// Shows a head for as long as it is pointed at elsewhere; -1 goes back to the chosen one.
  void previewHead(int head);
  /// Locks the row of a query until Esc or a position of -1 unlocks it.
  void lockQuery(int position);

 signals:
  void headChosen(int head);
  void requestChanged(mla::ui::AttentionRequest request);

 private:
  void addSelectors();
  void addValues();
  void addScales();
  void addNavigation();
  QAction* addAction(const QString& text, const QString& tip, bool checkable);
  void chooseValue(MapValue value);
  void refresh();
  void describe(const MapSource& source);

  SnapshotPtr snapshot_;
  MapValue value_ = MapValue::weight;
  int head_ = 0, preview_ = -1;
  QToolBar* bar_;
  MapCanvas* canvas_;
  QSpinBox *layer_, *head_box_;
  QActionGroup *values_, *scales_;
  QAction* follow_;
};

}  // namespace mla::ui
