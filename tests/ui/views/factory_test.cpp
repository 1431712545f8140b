#include "ui/views/factory.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/ui/views/map_fixture.h"

namespace mla::ui {
namespace {

TEST(Factory, MakesEveryViewUnderItsName) {
  EXPECT_EQ(viewNames(), QStringList({"attention", "compare", "coupled", "crossover", "heads", "latency", "memory",
                                      "quality", "rank", "stages", "tokens"}));
  std::set<QString> titles;
  for (const QString& name : viewNames()) {
    const std::unique_ptr<View> view = makeView(name);
    ASSERT_TRUE(view) << name.toStdString();
    EXPECT_EQ(view->viewName(), name);
    EXPECT_FALSE(view->title().isEmpty());
    titles.insert(view->title());
  }
  EXPECT_EQ(titles.size(), std::size_t(viewNames().size()));
  EXPECT_FALSE(makeView(QStringLiteral("attentions")));
  EXPECT_FALSE(makeView(QString()));
}

TEST(Factory, EveryViewPaintsASnapshotAtAnySize) {
  for (const QString& name : viewNames()) {
    const std::unique_ptr<View> view = makeView(name);
    view->setSnapshot(makeSnapshot({}));
    for (const QSize size : {QSize(60, 40), QSize(800, 500)}) {
      QImage image(size, QImage::Format_RGB32);
      image.fill(Qt::magenta);
      QPainter painter(&image);
      view->paintTo(painter, size);
      painter.end();
      EXPECT_NE(image.pixel(size.width() - 1, size.height() - 1), QColor(Qt::magenta).rgb()) << name.toStdString();
    }
  }
}

}  // namespace
}  // namespace mla::ui
