#pragma once

#include <gtest/gtest.h>

#include <QDeadlineTimer>

#include "tests/ui/views/map_fixture.h"
#include "ui/views/attention_view.h"

namespace mla::ui {

class Attention : public testing::Test {
 protected:
  void show(const SnapshotPtr& snapshot, QSize size = {900, 640}) {
    QObject::connect(canvas(), &MapCanvas::pictureChanged, canvas(), [this] { ++pictures_; });
    view_.resize(size);
    view_.show();
    set(snapshot);
  }
  void set(const SnapshotPtr& snapshot) {
    snapshot_ = snapshot;
    act([&] { view_.setSnapshot(snapshot); });
  }
  /// Does something that asks for a new picture, and waits until the last one asked for is on the screen.
  template <class Action>
  void act(Action action) {
    const int before = pictures_;
    action();
    ASSERT_TRUE(waitUntil([&] { return pictures_ > before; }));
    int seen = -1;  // let later ones come in too
    while (seen != pictures_) {
      seen = pictures_;
      waitUntil([this, deadline = QDeadlineTimer(30)] { return deadline.hasExpired(); });
    }
  }
  MapCanvas* canvas() { return view_.canvas(); }
  QPointF pointOf(int query, int key) {
    return canvas()->layoutNow().rectOf(QRectF(key, query, 1, 1), canvas()->viewport().window()).center();
  }
  const AttentionRow& row(int query) { return *(*snapshot_->attention.rows)[query - snapshot_->attention.first]; }
  QString readout() { return readoutOf(canvas()->scene()).join(QLatin1Char('\n')); }
  QRgb pixel(QPointF at) { return canvas()->grab().toImage().pixel(at.toPoint()) | 0xff000000; }

  AttentionView view_;
  SnapshotPtr snapshot_;
  int pictures_ = 0;
};

}  // namespace mla::ui
