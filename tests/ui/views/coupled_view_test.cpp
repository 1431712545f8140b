#include "ui/views/coupled_view.h"

#include <gtest/gtest.h>

#include <QHelpEvent>
#include <QToolTip>

#include "tests/ui/views/map_fixture.h"
#include "ui/theme/theme.h"

namespace mla::ui {
namespace {

/// Two heads of three tokens; in head 1 the coupled forms differ by 2 at query 2, key 1.
std::shared_ptr<const CoupledRope> sampleRope() {
  CoupledRope rope{3, 3, 8, {}};
  ScoreForms equal;
  equal.expanded = equal.absorbed = {1, 0, 0, -1, 0.5f, 0, 0.25f, 3, 2};
  equal.expanded_weights = equal.absorbed_weights = {1, 0, 0, 0.5f, 0.5f, 0, 0.25f, 0.25f, 0.5f};
  equal.largest = equal.mean = equal.largest_weight = 1e-16;
  ScoreForms apart = equal;
  apart.absorbed[7] = 1;
  apart.largest = 2, apart.mean = 0.5, apart.largest_weight = 0.125;
  rope.heads = {{equal, equal}, {equal, apart}};
  return std::make_shared<const CoupledRope>(rope);
}

SnapshotPtr sampleSnapshot() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->coupled = sampleRope();
  return snapshot;
}

QImage painted(CoupledView& view, QSize size) {
  QImage image(size, QImage::Format_RGB32);
  image.fill(Qt::magenta);
  QPainter painter(&image);
  view.paintTo(painter, size);
  return image;
}

TEST(CoupledView, BeginsWithTheHeadThatSuffersMostAndPrintsTheLargestDifference) {
  CoupledView view;
  EXPECT_TRUE(view.scene().message.startsWith("not computed yet"));
  view.setSnapshot(sampleSnapshot());
  EXPECT_EQ(view.scene().head, 1);
  EXPECT_EQ(coupledHeadline(view.scene()),
            "layer 4, head h1, RoPE coupled: largest difference 2.000, mean 0.5000; of a weight 0.1250");
  view.setCoupled(false);
  EXPECT_EQ(coupledHeadline(view.scene()),
            "layer 4, head h1, as it is: largest difference 1.000e-16, mean 1.000e-16; of a weight 1.000e-16");
}

TEST(CoupledView, TheSwitchAndTheHeadAreControls) {
  CoupledView view;
  view.setSnapshot(sampleSnapshot());
  view.resize(700, 400);
  view.show();
  auto* coupled = view.findChild<QCheckBox*>();
  ASSERT_TRUE(coupled && coupled->isChecked());
  press(*coupled, Qt::Key_Space);
  EXPECT_FALSE(view.scene().coupled);
  auto* head = view.findChild<QSpinBox*>();
  press(*head, Qt::Key_Down);
  EXPECT_EQ(view.scene().head, 0);
  EXPECT_EQ(head->suffix(), " of 2");
  for (QWidget* control : {static_cast<QWidget*>(coupled), static_cast<QWidget*>(head)}) {
    EXPECT_FALSE(control->toolTip().isEmpty());
    EXPECT_FALSE(control->accessibleName().isEmpty());
  }
}

TEST(CoupledView, AllMapsShareOneScale) {
  const auto rope = sampleRope();
  const ColorScale scale = coupledScale(rope->heads[1].coupled);
  EXPECT_EQ(scale.kind(), ColorScale::Kind::diverging);
  EXPECT_GE(scale.high(), 3) << "the largest score of any map";
  EXPECT_DOUBLE_EQ(scale.low(), -scale.high());
}

TEST(CoupledView, CellsHaveTheColoursOfTheirNumbers) {
  CoupledView view;
  view.setSnapshot(sampleSnapshot());
  const QSize size(900, 420);
  const QImage image = painted(view, size);
  const ColorScale scale = coupledScale(*view.scene().forms());
  const double expected[] = {3, 1, 2};  // expanded, absorbed, difference at query 2, key 1
  int found = 0;
  for (int y = 0; y < size.height(); y += 3)
    for (int x = 0; x < size.width(); x += 3) {
      const auto cell = coupledCellAt(QPointF(x, y), size, QApplication::font(), view.scene());
      if (!cell) continue;
      EXPECT_LE(cell->key, cell->query);
      // Away from a cell's edges, where pixels may belong to either side.
      const auto same = [&](int dx, int dy) {
        const auto other = coupledCellAt(QPointF(x + dx, y + dy), size, QApplication::font(), view.scene());
        return other && other->map == cell->map && other->query == cell->query && other->key == cell->key;
      };
      if (cell->query != 2 || cell->key != 1 || !same(-3, 0) || !same(3, 0) || !same(0, -3) || !same(0, 3)) continue;
      EXPECT_EQ(image.pixel(x, y), scale.color(expected[cell->map])) << cell->map;
      ++found;
    }
  EXPECT_GT(found, 100);
}

TEST(CoupledView, TableHasEveryPairThatAttends) {
  CoupledView view;
  EXPECT_TRUE(view.table().rows.empty());
  view.setSnapshot(sampleSnapshot());
  const Table table = view.table();
  EXPECT_EQ(table.columns, (std::vector<std::string>{"query", "key", "expanded", "absorbed", "difference"}));
  ASSERT_EQ(table.rows.size(), 6u);
  EXPECT_EQ(table.rows[4], (std::vector<std::string>{"2", "1", "3", "1", "2"}));
}

TEST(CoupledView, AnotherModelBringsItsOwnWorstHeadTheSameOneKeepsTheChoice) {
  CoupledView view;
  view.setSnapshot(sampleSnapshot());
  view.setHead(0);
  view.setSnapshot(sampleSnapshot());
  EXPECT_EQ(view.scene().head, 0);
  CoupledRope one = *sampleRope();
  one.heads.resize(1);
  auto other = std::make_shared<Snapshot>();
  other->coupled = std::make_shared<const CoupledRope>(one);
  view.setSnapshot(other);
  EXPECT_EQ(view.scene().head, 0);
  view.setSnapshot(sampleSnapshot());
  EXPECT_EQ(view.scene().head, 1);
}

}  // namespace
}  // namespace mla::ui
