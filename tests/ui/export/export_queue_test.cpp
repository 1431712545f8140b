#include "ui/export/export_queue.h"

#include <gtest/gtest.h>

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "tests/ui/charts/sample_snapshot.h"
#include "ui/views/memory_view.h"
#include "ui/views/stages_view.h"

namespace mla::ui {
namespace {

class Exports : public testing::Test {
 protected:
  Exports() {
    memory_.setSnapshot(sample::snapshot(60));
    stages_.setSnapshot(sample::snapshot(60));
    QObject::connect(&queue_, &ExportQueue::finished, [this](const Status& status) {
      ++finished_;
      failure_ = status ? std::string() : status.error().message;
    });
  }
  std::vector<ExportOrder> both(const std::vector<Format>& formats) {
    return {{&memory_, {300, 200}, 2, path("memory"), formats}, {&stages_, {300, 200}, 2, path("stages"), formats}};
  }
  bool wait() {
    for (int i = 0; i < 1000 && finished_ == 0; ++i) QTest::qWait(10);
    return finished_ == 1 && !queue_.busy();
  }
  QString path(const QString& name) const { return folder_.filePath(name); }
  QStringList files() const { return QDir(folder_.path()).entryList(QDir::Files | QDir::Hidden, QDir::Name); }

  QTemporaryDir folder_;
  MemoryView memory_;
  StagesView stages_;
  int finished_ = 0;
  std::string failure_;
  ExportQueue queue_;
};

TEST_F(Exports, EveryViewInEveryFormatAndProgressToTheEnd) {
  std::vector<std::pair<int, int>> progress;
  QObject::connect(&queue_, &ExportQueue::progressed, [&] { progress.push_back(queue_.progress()); });
  queue_.add(both({Format::png, Format::svg, Format::pdf, Format::csv}));
  EXPECT_TRUE(queue_.recording());
  EXPECT_TRUE(files().isEmpty());  // add() itself neither paints nor writes
  ASSERT_TRUE(wait());
  EXPECT_EQ(failure_, "");
  EXPECT_EQ(files(), (QStringList{"memory.csv", "memory.pdf", "memory.png", "memory.svg", "stages.csv", "stages.pdf",
                                  "stages.png", "stages.svg"}));
  EXPECT_EQ(progress.front(), std::pair(0, 8));
  EXPECT_EQ(progress.back(), std::pair(8, 8));
}

TEST_F(Exports, AllFilesShowTheMomentOfTheOrder) {
  QObject::connect(&queue_, &ExportQueue::recorded, [this] { memory_.setSnapshot(sample::snapshot(5)); });
  queue_.add(both({Format::csv}));
  ASSERT_TRUE(wait());
  QFile file(path("memory.csv"));
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_GT(file.readAll().count('\n'), 60);
}

TEST_F(Exports, TheFirstFailureNamesItsFileAndStops) {
  std::vector<ExportOrder> orders = both({Format::svg, Format::csv});
  orders[0].stem = path("missing/memory");
  queue_.add(orders);
  ASSERT_TRUE(wait());
  EXPECT_NE(failure_.find("missing/memory.svg"), std::string::npos) << failure_;
  QTest::qWait(50);
  EXPECT_EQ(finished_, 1);
}

TEST_F(Exports, CancellingDropsTheRestAndFreesTheViews) {
  bool free = false;
  QObject::connect(&queue_, &ExportQueue::recorded, [&] { free = true; });
  queue_.add(both({Format::png}));
  queue_.cancel();
  EXPECT_TRUE(free);
  EXPECT_FALSE(queue_.busy());
  EXPECT_EQ(finished_, 1);
  QTest::qWait(50);
  EXPECT_TRUE(files().isEmpty());
  queue_.add(both({Format::csv}));  // and it can be used again
  finished_ = 0;
  ASSERT_TRUE(wait());
  EXPECT_EQ(files().size(), 2);
}

TEST_F(Exports, DestroyedInTheMiddleOfIt) {
  auto queue = std::make_unique<ExportQueue>();
  queue->add(both({Format::png, Format::pdf}));
  QTest::qWait(1);
  queue.reset();
  for (const QString& name : files()) EXPECT_FALSE(name.contains("tmp")) << name.toStdString();
}

}  // namespace
}  // namespace mla::ui
