#include <gtest/gtest.h>

#include <QBuffer>
#include <QSpinBox>
#include <QSvgGenerator>
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "tests/ui/views/map_fixture.h"
#include "ui/theme/theme.h"
#include "ui/views/attention_view.h"
#include "ui/views/map_axes.h"

namespace mla::ui {
namespace {

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

TEST_F(Attention, SaysWhatWasNotKeptAndShowsItHatched) {
  show(makeSnapshot({2, 40, 30}));
  EXPECT_TRUE(canvas()->scene().note.contains(QStringLiteral("rows before token 30 not kept")));
  EXPECT_EQ(canvas()->viewport().window(), QRectF(0, 30, 40, 10));
  EXPECT_EQ(pixel(pointOf(33, 7)), canvas()->scene().picture.scale.color(row(33).weights[7]));
  MapJob job{canvas()->source(), QRectF(0, 0, 40, 40), {400, 400}, true, MapColors::from(canvas()->palette())};
  MapGrid grid;
  const QImage image = drawMap(job, grid).image;
  for (int x = 0; x < 100; ++x) {
    EXPECT_TRUE(image.pixel(x, 150) == job.colors.missing || image.pixel(x, 150) == job.colors.missingInk);
  }
  EXPECT_EQ(image.pixel(300, 150), job.colors.above);
}

TEST_F(Attention, SaysWhatWasThinnedAndHoverTellsTheQueryThatIsShown) {
  Made made;
  made.heads = 1;
  made.tokens = 40;
  made.whole_from = 30;
  made.stride = 8;
  show(makeSnapshot(made));
  EXPECT_EQ(canvas()->scene().note, QStringLiteral("before token 30: 1 row in 8 kept"));
  const auto of = [&](int query) { return *canvas()->source().row(query); };
  const ColorScale scale = canvas()->scene().picture.scale;
  EXPECT_EQ(pixel(pointOf(21, 3)), scale.color(of(16).weights[3])) << "query 16 stands for 16 to 23";
  EXPECT_EQ(pixel(pointOf(29, 3)), scale.color(of(24).weights[3]));
  EXPECT_EQ(pixel(pointOf(30, 3)), scale.color(of(30).weights[3]));
  EXPECT_EQ(pixel(pointOf(21, 19)), MapColors::from(canvas()->palette()).above) << "query 16 does not see key 19";
  hover(*canvas(), pointOf(21, 3));
  EXPECT_TRUE(readout().contains(QStringLiteral("query 16  “␣”\n"))) << readout().toStdString();
  EXPECT_TRUE(readout().contains(QStringLiteral("weight ") + fourDigits(of(16).weights[3])));
  EXPECT_TRUE(readout().contains(QStringLiteral("of queries 16 to 23, 1 kept")));
  EXPECT_TRUE(readout().contains(QStringLiteral("in the rows kept")));
  hover(*canvas(), pointOf(29, 3));
  EXPECT_TRUE(readout().contains(QStringLiteral("of queries 24 to 29, 1 kept")));
  hover(*canvas(), pointOf(33, 3));
  EXPECT_TRUE(readout().contains(QStringLiteral("query 33 ")));
  EXPECT_FALSE(readout().contains(QStringLiteral("kept\n")));
  press(*canvas(), Qt::Key_Escape);
  act([&] { view_.lockQuery(21); });
  EXPECT_TRUE(readout().contains(QStringLiteral("this query's row was not kept")));
  for (const auto& row : view_.table().rows) EXPECT_TRUE(std::stoi(row[0]) >= 30 || std::stoi(row[0]) % 8 == 0);
  EXPECT_EQ(view_.table().rows.size(), 1u + 9 + 17 + 25 + 10 * 71 / 2);
}

TEST_F(Attention, TheCursorGoesFromOneKeptQueryToTheNext) {
  Made made;
  made.heads = 1;
  made.tokens = 40;
  made.whole_from = 30;
  made.stride = 8;
  show(makeSnapshot(made));
  hover(*canvas(), pointOf(31, 2));
  const auto focus = [&] { return *canvas()->scene().focus; };
  press(*canvas(), Qt::Key_Up);
  EXPECT_EQ(focus(), (MapBlock{30, 1, 2, 1}));
  press(*canvas(), Qt::Key_Up);
  EXPECT_EQ(focus(), (MapBlock{24, 6, 2, 1}));
  press(*canvas(), Qt::Key_Up);
  EXPECT_EQ(focus(), (MapBlock{16, 8, 2, 1}));
  press(*canvas(), Qt::Key_Down);
  press(*canvas(), Qt::Key_Down);
  EXPECT_EQ(focus(), (MapBlock{30, 1, 2, 1}));
}

TEST_F(Attention, ThousandsOfTokensArePooledByTheirMaximum) {
  Made made{1, 4096};
  made.rope = false;
  const auto snapshot = makeSnapshot(made);
  show(snapshot);
  const MapPicture& picture = canvas()->scene().picture;
  const int size = 1 << picture.queryLevel;
  EXPECT_GE(size, 8);
  const auto largestIn = [&](const MapBlock& block) {
    float largest = 0;
    for (int q = block.query; q < block.query + block.queries; ++q) {
      for (int k = block.key; k < std::min(q + 1, block.key + block.keys); ++k)
        largest = std::max(largest, row(q).weights[k]);
    }
    return largest;
  };
  const QRectF plot = canvas()->layoutNow().plot;
  const QImage screen = canvas()->grab().toImage();
  for (int y = 1; y < picture.image.height(); y += 37) {
    for (int x = 1; x < std::min(y, picture.image.width()); x += 41) {
      const QPointF at = plot.topLeft() + QPointF(x + 0.5, y + 0.5);
      hover(*canvas(), at);
      const MapBlock block = canvas()->scene().focus.value();
      if (block.key > block.query) continue;
      EXPECT_EQ(block.queries, size);
      EXPECT_EQ(screen.pixel(int(at.x()), int(at.y())), picture.scale.color(largestIn(block)));
      EXPECT_TRUE(readout().contains(QStringLiteral("max of %1×%2").arg(block.queries).arg(block.keys)));
      EXPECT_TRUE(readout().contains(QStringLiteral("weight ") + fourDigits(largestIn(block))));
    }
  }
}

TEST_F(Attention, AMapOfThousandsOfTokensLeavesTheWindowFree) {
  Made made{1, 4096};
  made.rope = false;
  const auto snapshot = makeSnapshot(made);
  show(snapshot);
  const double ms = bestMs([&] {
    view_.setSnapshot(snapshot);
    wheel(*canvas(), canvas()->layoutNow().plot.center(), 1);
    hover(*canvas(), canvas()->layoutNow().plot.center() - QPointF(50, 0));
    canvas()->repaint();
  });
  EXPECT_LT(ms, kFrameMs) << "a snapshot, a zoom step, a hover and the painting";
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
