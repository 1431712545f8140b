#include <gtest/gtest.h>

#include <QBuffer>
#include <QSpinBox>
#include <QSvgGenerator>
#include <QToolButton>
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tests/ui/views/attention_fixture.h"
#include "ui/theme/theme.h"
#include "ui/views/map_axes.h"

namespace mla::ui {
namespace {

TEST_F(Attention, HoverReadsTheRowsNumbers) {
  show(makeSnapshot({}));
  view_.setHead(2);
  hover(*canvas(), pointOf(7, 3));
  const MapReading cell = readCell(row(7), 2, 3);
  EXPECT_EQ(cell.weight, row(7).weights[2 * 8 + 3]);
  EXPECT_TRUE(readout().contains(QStringLiteral("query 7  “o”"))) << readout().toStdString();
  EXPECT_TRUE(readout().contains(QStringLiteral("key 3  “e”")));
  EXPECT_TRUE(readout().contains(QStringLiteral("weight ") + fourDigits(row(7).weights[2 * 8 + 3])));
  EXPECT_TRUE(readout().contains(QStringLiteral("NoPE score ") + fourDigits(row(7).scores_nope[2 * 8 + 3])));
  EXPECT_TRUE(readout().contains(QStringLiteral("RoPE score ") + fourDigits(row(7).scores_rope[2 * 8 + 3])));
  EXPECT_TRUE(readout().contains(QStringLiteral("total score ") +
                                 fourDigits(row(7).scores_nope[2 * 8 + 3] + row(7).scores_rope[2 * 8 + 3])));
  EXPECT_EQ(canvas()->accessibleDescription().split(QStringLiteral(", ")).front(), QStringLiteral("query 7  “o”"));
  hover(*canvas(), pointOf(3, 7));
  EXPECT_TRUE(readout().contains(QStringLiteral("above the diagonal")));
}

TEST_F(Attention, EveryCellHasTheColourOfItsNumber) {
  show(makeSnapshot({}));
  for (int value = 0; value < 4; ++value) {
    act([&] { press(*canvas(), Qt::Key_1 + value); });
    EXPECT_EQ(view_.value(), MapValue(value));
    const ColorScale scale = canvas()->scene().picture.scale;
    const QImage image = canvas()->grab().toImage();
    for (int query = 0; query < 12; ++query) {
      for (int key = 0; key < 12; ++key) {
        const QRgb expected = key <= query ? scale.color(cell(row(query), 0, key, MapValue(value)))
                                           : MapColors::from(canvas()->palette()).above;
        EXPECT_EQ(image.pixel(pointOf(query, key).toPoint()), expected) << value << ": " << query << ", " << key;
      }
    }
  }
}

TEST_F(Attention, ScoresHaveAScaleSymmetricAboutZeroThatHoldsThemAll) {
  show(makeSnapshot({}));
  act([&] { press(*canvas(), Qt::Key_2); });
  const ColorScale scale = canvas()->scene().picture.scale;
  EXPECT_EQ(scale.low(), -scale.high());
  double largest = 0;
  for (const auto& r : *snapshot_->attention.rows) {
    for (int key = 0; key < r->keys; ++key) largest = std::max(largest, double(std::abs(cell(*r, 0, key, MapValue::score))));
  }
  EXPECT_GE(scale.high(), largest);
  EXPECT_LT(scale.high(), 3 * largest);
}

TEST_F(Attention, ItsToolbarNeedsNoMenuInTheWindowAt1280) {
  show(makeSnapshot({}), {573, 500});
  auto* more = view_.findChild<QToolButton*>(QStringLiteral("qt_toolbar_ext_button"));
  ASSERT_TRUE(more);
  EXPECT_FALSE(more->isVisible());
}

TEST_F(Attention, LogAndLinear) {
  show(makeSnapshot({}));
  EXPECT_EQ(canvas()->scene().picture.scale.kind(), ColorScale::Kind::log);
  act([&] { press(*canvas(), Qt::Key_L); });
  EXPECT_EQ(canvas()->scene().picture.scale.kind(), ColorScale::Kind::linear);
  EXPECT_EQ(pixel(pointOf(9, 2)), ColorScale::forWeights(false, 12).color(row(9).weights[2]));
}

TEST_F(Attention, AClickLocksAndEscapeUnlocks) {
  show(makeSnapshot({}));
  click(*canvas(), pointOf(8, 1));
  hover(*canvas(), pointOf(5, 5));
  EXPECT_TRUE(readout().contains(QStringLiteral("query 8")));
  EXPECT_TRUE(readout().contains(QStringLiteral("locked")));
  press(*canvas(), Qt::Key_Escape);
  hover(*canvas(), pointOf(5, 5));
  EXPECT_TRUE(readout().contains(QStringLiteral("query 5")));
  EXPECT_FALSE(readout().contains(QStringLiteral("locked")));
}

TEST_F(Attention, ALockedRowShowsItsLargestWeightThenWhatIsPointedAt) {
  show(makeSnapshot({}));
  view_.lockQuery(9);
  const auto best = std::max_element(row(9).weights.begin(), row(9).weights.begin() + 10);
  EXPECT_TRUE(readout().contains(QStringLiteral("query 9")));
  EXPECT_TRUE(readout().contains(QStringLiteral("weight ") + fourDigits(*best)));
  hover(*canvas(), pointOf(2, 4));
  EXPECT_TRUE(readout().contains(QStringLiteral("query 9")));
  EXPECT_TRUE(readout().contains(QStringLiteral("weight ") + fourDigits(row(9).weights[4])));
  view_.lockQuery(-1);
  EXPECT_FALSE(canvas()->scene().locked);
}

TEST_F(Attention, TheCursorMovesByKeysAndEnterLocks) {
  show(makeSnapshot({}));
  press(*canvas(), Qt::Key_Left);
  EXPECT_TRUE(readout().contains(QStringLiteral("query 11"))) << "it starts at the newest cell";
  press(*canvas(), Qt::Key_Left);
  press(*canvas(), Qt::Key_Up);
  press(*canvas(), Qt::Key_Return);
  EXPECT_TRUE(readout().contains(QStringLiteral("query 10")));
  EXPECT_TRUE(readout().contains(QStringLiteral("key 10")));
  EXPECT_TRUE(readout().contains(QStringLiteral("locked")));
}

TEST_F(Attention, WheelZoomsAboutThePointerDragPansAndZeroResets) {
  show(makeSnapshot({4, 60}));
  const QPointF at = pointOf(40, 20);
  act([&] { wheel(*canvas(), at, 4); });
  const QRectF zoomed = canvas()->viewport().window();
  EXPECT_LT(zoomed.width(), 30);
  hover(*canvas(), at);
  EXPECT_TRUE(readout().contains(QStringLiteral("query 40")));
  EXPECT_EQ(pixel(pointOf(40, 20) + QPointF(3, 3)), canvas()->scene().picture.scale.color(row(40).weights[20]));
  act([&] { drag(*canvas(), at, at + QPointF(60, 0)); });
  EXPECT_LT(canvas()->viewport().window().x(), zoomed.x());
  EXPECT_NEAR(canvas()->viewport().window().y(), zoomed.y(), 1e-9);
  EXPECT_FALSE(canvas()->scene().locked) << "a drag is no click";
  const double x = canvas()->viewport().window().x();
  act([&] { press(*canvas(), Qt::Key_Right, Qt::ShiftModifier); });
  EXPECT_GT(canvas()->viewport().window().x(), x);
  act([&] { press(*canvas(), Qt::Key_0); });
  EXPECT_EQ(canvas()->viewport().window(), QRectF(0, 0, 60, 60));
  act([&] { press(*canvas(), Qt::Key_Plus); });
  EXPECT_FALSE(canvas()->viewport().fitted());
  act([&] { mouse(*canvas(), QEvent::MouseButtonDblClick, at, Qt::LeftButton, Qt::LeftButton); });
  EXPECT_TRUE(canvas()->viewport().fitted());
}

TEST_F(Attention, FollowsTheDecode) {
  show(makeSnapshot({4, 30}));
  set(makeSnapshot({4, 31}));
  EXPECT_EQ(canvas()->viewport().window(), QRectF(0, 0, 31, 31));
  act([&] { wheel(*canvas(), pointOf(10, 5), 5); });
  const QRectF kept = canvas()->viewport().window();
  set(makeSnapshot({4, 32}));
  EXPECT_EQ(canvas()->viewport().window(), kept);
}

/// Counts the repaints of a widget.
class Repaints : public QObject {
 public:
  int count = 0;
  bool eventFilter(QObject*, QEvent* event) override {
    count += event->type() == QEvent::Paint;
    return false;
  }
};

TEST_F(Attention, ASnapshotIsOneRepaintOfTheMap) {
  Made made;
  made.tokens = 900;  // too many to be drawn at once
  made.heads = 1;
  show(makeSnapshot(made));
  Repaints repaints;
  canvas()->installEventFilter(&repaints);
  ++made.tokens;
  set(makeSnapshot(made));
  EXPECT_EQ(repaints.count, 1);
  EXPECT_EQ(canvas()->scene().picture.window.bottom(), 901);
}

TEST_F(Attention, LayerAndValueAreRequestsHeadsAreChoices) {
  show(makeSnapshot({}));
  std::vector<AttentionRequest> requests;
  std::vector<int> heads;
  QObject::connect(&view_, &AttentionView::requestChanged, [&](const AttentionRequest& r) { requests.push_back(r); });
  QObject::connect(&view_, &AttentionView::headChosen, [&](int head) { heads.push_back(head); });
  const QList<QSpinBox*> boxes = view_.findChildren<QSpinBox*>();
  for (QSpinBox* box : boxes) press(*box, Qt::Key_Up);
  press(*canvas(), Qt::Key_4);
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0], (AttentionRequest{true, 1, MapValue::weight}));
  EXPECT_EQ(requests[1], (AttentionRequest{true, 1, MapValue::rope}));
  EXPECT_EQ(heads, std::vector<int>{1});
  EXPECT_EQ(view_.head(), 1);
  view_.setHead(3);
  view_.setLayer(0);
  EXPECT_EQ(requests.size(), 2u) << "what is set from outside is not asked for again";
}

TEST_F(Attention, APictureOfAnotherRunIsNotShown) {
  show(makeSnapshot({}));
  Made other;
  other.run = 2;
  other.tokens = 20;
  snapshot_ = makeSnapshot(other);
  view_.setSnapshot(snapshot_);
  EXPECT_EQ(pixel(pointOf(19, 4)), canvas()->scene().picture.scale.color(row(19).weights[4])) << "not even for a moment";
  set(snapshot_);
  EXPECT_EQ(canvas()->scene().picture.run, 2u);
  EXPECT_EQ(pixel(pointOf(19, 4)), canvas()->scene().picture.scale.color(row(19).weights[4]));
}

TEST_F(Attention, PaintsFilesWithoutAnEventLoop) {
  view_.setSnapshot(makeSnapshot({4, 12}));
  QByteArray svg;
  QBuffer buffer(&svg);
  QSvgGenerator generator;
  generator.setOutputDevice(&buffer);
  generator.setSize({900, 600});
  QPainter painter(&generator);
  view_.paintTo(painter, {900, 600});
  painter.end();
  for (const char* text :
       {"attention weight", "not recorded", "above the diagonal", "10⁻⁴", "key token", "query token", "column sums"}) {
    EXPECT_TRUE(svg.contains(text)) << text;
  }
}

TEST_F(Attention, ASmallMapSaysInFewerWordsWhatItsSumsAre) {
  view_.setSnapshot(makeSnapshot({4, 12}));
  bool brief = false, whole = false;
  for (int width = 220; width <= 600; width += 20) {
    QByteArray svg;
    QBuffer buffer(&svg);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize({width, 420});
    QPainter painter(&generator);
    view_.paintTo(painter, {double(width), 420});
    painter.end();
    EXPECT_TRUE(width < 340 || svg.contains("right: row sums")) << width;
    brief = brief || svg.contains("above: column sums");
    whole = whole || svg.contains("attention received (column sums)");
  }
  EXPECT_TRUE(brief);
  EXPECT_TRUE(whole);
}

TEST_F(Attention, LightAndDarkFilesDiffer) {
  view_.setSnapshot(makeSnapshot({}));
  const auto corner = [this](const QPalette& palette) {
    view_.setPalette(palette);
    QImage image(600, 400, QImage::Format_RGB32);
    QPainter painter(&image);
    view_.paintTo(painter, image.size());
    return QColor(image.pixel(2, 2));
  };
  EXPECT_GT(corner(lightPalette()).lightness(), 200);
  EXPECT_LT(corner(darkPalette()).lightness(), 80);
}

TEST_F(Attention, TheTableHoldsEveryCellOfTheHead) {
  snapshot_ = makeSnapshot({});
  view_.setSnapshot(snapshot_);
  view_.setHead(3);
  const Table table = view_.table();
  ASSERT_EQ(table.columns.size(), 7u);
  ASSERT_EQ(table.rows.size(), 78u);
  const auto& last = table.rows.back();
  EXPECT_EQ(last[0], "11");
  EXPECT_EQ(last[2], " ");
  EXPECT_EQ(table.rows.front()[2], "O");
  EXPECT_EQ(std::stof(last[4]), row(11).weights[3 * 12 + 11]);
  EXPECT_EQ(std::stof(last[6]), row(11).scores_rope[3 * 12 + 11]);
}

TEST_F(Attention, SaysWhyThereIsNothingToSee) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->activity = QStringLiteral("making 604 MB of weights");
  view_.setSnapshot(snapshot);
  EXPECT_EQ(canvas()->scene().message, snapshot->activity);
  EXPECT_TRUE(view_.table().rows.empty());
  view_.lockQuery(3);
  press(*canvas(), Qt::Key_Left);
  wheel(*canvas(), {50, 50}, 1);
  QImage image(300, 200, QImage::Format_RGB32);
  QPainter painter(&image);
  view_.paintTo(painter, image.size());
}

}  // namespace
}  // namespace mla::ui
