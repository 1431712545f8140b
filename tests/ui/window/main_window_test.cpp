#include "ui/window/main_window.h"

#include <gtest/gtest.h>

#include <QDialog>
#include <QDir>
#include <QDropEvent>
#include <QFile>
#include <QLabel>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>

#include "core/engine/thread_guard.h"
#include "tests/ui/controls/slider_handle.h"
#include "tests/ui/session/session_fixture.h"
#include "ui/controls/experiment_panel.h"
#include "ui/controls/transport_bar.h"
#include "ui/export/export_queue.h"
#include "ui/views/attention_view.h"
#include "ui/views/coupled_view.h"
#include "ui/views/crossover_view.h"
#include "ui/window/experiment_files.h"
#include "ui/window/panes.h"

namespace mla::ui {
namespace {

class MainWindowTest : public testing::Test {
 protected:
  MainWindowTest() : session_(cpu_backends()) { open_window(); }

  void open_window() {
    window_ = std::make_unique<MainWindow>(session_, folder_.filePath("settings.ini"));
    window_->show();
    window_->activateWindow();
    QTest::qWait(1);
  }
  void run_tiny() {
    session_.setExperiment(tiny_experiment());
    session_.setSpeed(100);  // its context must not be full before a test is over
    session_.play();
    ASSERT_TRUE(wait_for([&] { return step_count(session_) >= 3; }));
  }
  QDockWidget* dock(const char* name) { return window_->findChild<QDockWidget*>(name); }
  QAction* action(const QString& text) {
    for (QAction* found : window_->findChildren<QAction*>()) {
      if (found->text().remove('&') == text) return found;
    }
    return nullptr;
  }
  QMessageBox* message() { return window_->findChild<QMessageBox*>(); }
  void drop(const QString& path) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    QDragEnterEvent enter({50, 50}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window_.get(), &enter);
    ASSERT_TRUE(enter.isAccepted());
    QDropEvent event({50, 50}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window_.get(), &event);
  }
  QString write(const QString& name, const std::string& text) {
    QFile file(folder_.filePath(name));
    EXPECT_TRUE(file.open(QIODevice::WriteOnly));
    file.write(text.data(), qint64(text.size()));
    return file.fileName();
  }

  QTemporaryDir folder_;
  Session session_;
  std::unique_ptr<MainWindow> window_;
};

TEST_F(MainWindowTest, ADraggedSliderChangesTheRunThatIsShown) {
  run_tiny();
  auto* latent = static_cast<DimensionSlider*>(window_->experimentPanel().control("kv-lora-rank"));
  QTest::mousePress(latent->slider(), Qt::LeftButton, {}, handle_of(*latent->slider()));
  QTest::mouseMove(latent->slider(), QPoint(-8, latent->slider()->height() / 2));
  EXPECT_TRUE(latent->slider()->isSliderDown());
  EXPECT_TRUE(wait_for([&] { return session_.snapshot()->experiment.spec.attention.kv_lora_rank == 2; }));
  QTest::mouseRelease(latent->slider(), Qt::LeftButton);
  EXPECT_EQ(engine_calls_on_forbidden_thread(), 0);
}

TEST_F(MainWindowTest, SpacePlaysAndPausesPeriodAndRightStepRResets) {
  session_.setExperiment(tiny_experiment());
  ASSERT_TRUE(wait_for([&] { return session_.snapshot()->run == 1; }));
  QTest::keyClick(window_.get(), Qt::Key_Period);
  ASSERT_TRUE(wait_for([&] { return step_count(session_) == 1; }));
  QTest::keyClick(window_.get(), Qt::Key_Right);
  ASSERT_TRUE(wait_for([&] { return step_count(session_) == 2; }));
  QTest::keyClick(window_.get(), Qt::Key_Space);
  EXPECT_TRUE(session_.playing());
  ASSERT_TRUE(wait_for([&] { return step_count(session_) >= 4; }));
  EXPECT_TRUE(window_->transport().playAction()->isChecked());
  QTest::keyClick(window_.get(), Qt::Key_Space);
  EXPECT_FALSE(session_.playing());
  QTest::keyClick(window_.get(), Qt::Key_R);
  EXPECT_TRUE(wait_for([&] { return session_.snapshot()->run == 2; }));
}

TEST_F(MainWindowTest, TheCrossoverIsMeasuredByItsButton) {
  run_tiny();
  auto* view = window_->findChild<CrossoverView*>();
  dock("crossover")->raise();
  ASSERT_TRUE(wait_for([&] { return view->isVisible(); }));
  QTest::mouseClick(view->findChild<QPushButton*>(), Qt::LeftButton);
  ASSERT_TRUE(wait_for([&] { return session_.snapshot()->crossover.measuring(); }));
  ASSERT_TRUE(wait_for([&] { return view->findChild<QProgressBar*>()->isVisible(); }));
  ASSERT_TRUE(wait_for([&] { return view->times().data().headline.startsWith("Absorbed decode "); }, 240000));
  EXPECT_FALSE(view->findChild<QProgressBar*>()->isVisible());
  EXPECT_EQ(engine_calls_on_forbidden_thread(), 0);
}

TEST_F(MainWindowTest, StatusAndBannerSayWhatIsMeasuredAndWhatMeansNothing) {
  run_tiny();
  session_.pause();
  session_.pin();
  ASSERT_TRUE(wait_for(
      [&] { return session_.snapshot()->pinned.size() == 1 && session_.snapshot()->state == Snapshot::State::paused; }));
  QTest::qWait(150);  // the status line follows ten times a second
  QStringList texts;
  for (const QLabel* label : window_->findChildren<QLabel*>()) {
    if (label->isVisible()) texts << label->text();
  }
  const QString all = texts.join('\n');
  for (const char* part : {"cache", "/token (median of last", "pinned: 1", "attention content means nothing", "history ",
                           "bytes and milliseconds are real"}) {
    EXPECT_TRUE(all.contains(part)) << part;
  }
}

TEST_F(MainWindowTest, DocksHideAndTheLayoutIsRemembered) {
  dock("tokens")->hide();
  dock("latency")->setFloating(true);
  window_->close();
  open_window();
  EXPECT_TRUE(dock("tokens")->isHidden());
  EXPECT_TRUE(dock("latency")->isFloating());
  EXPECT_FALSE(dock("memory")->isHidden());
  action("Reset layout")->trigger();
  EXPECT_FALSE(dock("tokens")->isHidden());
  EXPECT_FALSE(dock("latency")->isFloating());
}

TEST_F(MainWindowTest, ADoubleClickOnATitleEnlargesThePaneAndBack) {
  const QSize before = dock("memory")->size();
  QTest::mouseDClick(dock("memory")->titleBarWidget(), Qt::LeftButton);
  QTest::qWait(1);
  EXPECT_EQ(window_->panes().maximised(), dock("memory"));
  EXPECT_TRUE(dock("experiment")->isHidden());
  EXPECT_FALSE(window_->panes().centre()->isVisible());
  EXPECT_GT(dock("memory")->width(), window_->width() * 9 / 10);
  QTest::mouseDClick(dock("memory")->titleBarWidget(), Qt::LeftButton);
  QTest::qWait(1);
  EXPECT_EQ(window_->panes().maximised(), nullptr);
  EXPECT_EQ(dock("memory")->size(), before);
  EXPECT_TRUE(dock("experiment")->isVisible());
}

TEST_F(MainWindowTest, AnEnlargedPaneIsNotWhatIsRemembered) {
  QTest::keyClick(window_.get(), Qt::Key_M, Qt::ControlModifier | Qt::ShiftModifier);
  ASSERT_NE(window_->panes().maximised(), nullptr);
  window_->close();
  open_window();
  EXPECT_TRUE(dock("experiment")->isVisible());
}

TEST_F(MainWindowTest, NoAttentionIsRecordedWhileNothingShowsIt) {
  run_tiny();
  dock("tokens")->hide();
  QTest::mouseDClick(dock("memory")->titleBarWidget(), Qt::LeftButton);
  const quint64 run = session_.snapshot()->run;
  QTest::qWait(100);
  const auto rows = session_.snapshot()->attention.rows;
  const int steps = step_count(session_);
  ASSERT_TRUE(
      wait_for([&] { return step_count(session_) > steps || session_.snapshot()->state == Snapshot::State::finished; }));
  EXPECT_EQ(session_.snapshot()->attention.rows->size(), rows->size());
  QTest::mouseDClick(dock("memory")->titleBarWidget(), Qt::LeftButton);
  EXPECT_TRUE(wait_for([&] { return session_.snapshot()->run > run; })) << "prefilled again, so that no row is missing";
}

TEST_F(MainWindowTest, ASavedExperimentOpensAgainToTheSame) {
  run_tiny();
  const QString path = folder_.filePath("mine.mla.json");
  ASSERT_TRUE(window_->files().save(path, window_->shownExperiment()));
  EXPECT_TRUE(window_->windowTitle().contains("mine.mla.json"));
  Experiment other = tiny_experiment();
  other.spec.attention.kv_lora_rank = 3;
  session_.setExperiment(other);
  EXPECT_TRUE(window_->isWindowModified());
  window_->openFile(path);
  EXPECT_EQ(session_.experiment(), tiny_experiment());
  EXPECT_EQ(window_->experimentPanel().experiment(), tiny_experiment());
  EXPECT_FALSE(window_->isWindowModified());
  window_->close();
  open_window();
  EXPECT_EQ(window_->files().recent(), QStringList{path});
}

TEST_F(MainWindowTest, ASavedExperimentBringsItsPinnedRunsAndWhatWasChosenInTheViews) {
  run_tiny();
  session_.pin();
  ASSERT_TRUE(wait_for([&] { return session_.snapshot()->pinned.size() == 1; }));
  auto* coupled = window_->findChild<CoupledView*>();
  auto* attention = window_->findChild<AttentionView*>();
  coupled->setCoupled(false);
  attention->setLog(false);
  QTest::keyClick(attention->canvas(), Qt::Key_4);
  ASSERT_EQ(attention->value(), MapValue::rope);
  const SavedExperiment shown = window_->shownExperiment();
  EXPECT_EQ(shown.pinned, std::vector<Experiment>{tiny_experiment()});
  const QString path = write("lecture.mla.json", to_json(shown));

  session_.unpin(0);
  coupled->setCoupled(true);
  attention->setLog(true);
  QTest::keyClick(attention->canvas(), Qt::Key_1);
  ASSERT_TRUE(wait_for([&] { return session_.snapshot()->pinned.empty(); }));
  window_->openFile(path);
  EXPECT_EQ(message(), nullptr);
  EXPECT_TRUE(wait_for([&] { return session_.snapshot()->pinned.size() == 1; }));
  EXPECT_EQ(window_->shownExperiment(), shown);
  EXPECT_FALSE(coupled->scene().coupled);
  EXPECT_EQ(attention->value(), MapValue::rope);
  EXPECT_FALSE(attention->canvas()->log());
}

TEST_F(MainWindowTest, ADroppedExperimentOpens) {
  Experiment dropped = tiny_experiment();
  dropped.batch = 3;
  drop(write("dropped.mla.json", to_json(dropped)));
  EXPECT_EQ(message(), nullptr);
  EXPECT_EQ(session_.experiment(), dropped);
}

TEST_F(MainWindowTest, ABadFileGetsOneMessageAndChangesNothing) {
  run_tiny();
  Experiment invalid = tiny_experiment();
  invalid.batch = 0;
  Experiment other = tiny_experiment();
  other.batch = 3;
  const std::vector<std::string> contents{"",
                                          "not json",
                                          "{}",
                                          to_json(invalid),
                                          "{\"version\": 99}",
                                          to_json(SavedExperiment{other, {}, {{"telescope", {{"zoom", "9"}}}}}),
                                          to_json(SavedExperiment{other, {}, {{"coupled", {{"zoom", "9"}}}}}),
                                          to_json(SavedExperiment{other, {}, {{"coupled", {{"rope", "broken"}}}}})};
  for (const std::string& content : contents) {
    const QString path = write("bad.mla.json", content);
    drop(path);
    ASSERT_NE(message(), nullptr) << content;
    EXPECT_TRUE(message()->text().contains("bad.mla.json")) << message()->text().toStdString();
    EXPECT_EQ(window_->findChildren<QMessageBox*>().size(), 1);
    delete message();
    EXPECT_EQ(session_.experiment(), tiny_experiment());
    EXPECT_TRUE(window_->files().recent().isEmpty());
  }
}

TEST_F(MainWindowTest, RefusedSettingsAreExplainedInThePanel) {
  run_tiny();
  Experiment elsewhere = tiny_experiment();
  elsewhere.backend = "cuda";
  session_.setExperiment(elsewhere);
  const auto explained = [&] {
    for (const QLabel* label : window_->experimentPanel().findChildren<QLabel*>()) {
      if (label->isVisible() && label->text().contains("cuda")) return true;
    }
    return false;
  };
  EXPECT_TRUE(wait_for(explained));
  EXPECT_EQ(window_->experimentPanel().experiment(), tiny_experiment());
}

TEST_F(MainWindowTest, TheShortcutListHasEveryMenuShortcut) {
  action("Shortcuts")->trigger();
  const auto* table = window_->findChild<QTableWidget*>();
  ASSERT_NE(table, nullptr);
  QStringList keys;
  for (int row = 0; row < table->rowCount(); ++row) keys << table->item(row, 0)->text();
  for (const char* key : {"Space", "Ctrl+O", "Ctrl+S", "Ctrl+E", "Ctrl+P", "Ctrl+Shift+M", "R", "."}) {
    EXPECT_TRUE(keys.contains(key)) << key;
  }
}

TEST_F(MainWindowTest, ThemeAndFontAreRemembered) {
  const int before = QApplication::font().pointSize();
  action("Dark")->trigger();
  EXPECT_TRUE(isDark(QApplication::palette()));
  action("Bigger font")->trigger();
  EXPECT_EQ(QApplication::font().pointSize(), before + 1);
  action("Smaller font")->trigger();
  window_->close();
  applyTheme(*qApp, ThemeChoice::light);
  open_window();
  EXPECT_TRUE(isDark(QApplication::palette()));
  EXPECT_TRUE(action("Dark")->isChecked());
  applyTheme(*qApp, ThemeChoice::light);
}

TEST_F(MainWindowTest, EveryButtonHasANameAndATip) {
  for (const QAbstractButton* button : window_->findChildren<QAbstractButton*>()) {
    if (!button->isVisible() || button->objectName().startsWith("qt_") || button->objectName() == "ScrollLeftButton")
      continue;
    EXPECT_FALSE(button->accessibleName().isEmpty() && button->text().isEmpty())
        << button->parentWidget()->metaObject()->className();
    EXPECT_FALSE(button->toolTip().isEmpty()) << button->accessibleName().toStdString() << button->text().toStdString();
  }
}

TEST_F(MainWindowTest, ExportsEveryViewWhileTheDecodeGoesOn) {
  run_tiny();
  const QString folder = folder_.filePath("charts");
  window_->exportInto(folder);
  EXPECT_TRUE(action("Cancel export")->isEnabled());
  ASSERT_TRUE(wait_for([&] { return !window_->exports().busy(); }));
  EXPECT_FALSE(action("Cancel export")->isEnabled());
  EXPECT_EQ(QDir(folder).entryList(QDir::Files).size(), qsizetype(4 * window_->views().size()));
  const int before = step_count(session_);
  EXPECT_TRUE(wait_for([&] { return step_count(session_) > before; }));
}

TEST_F(MainWindowTest, ADroppedModelFolderRuns) {
  const QString folder = QStringLiteral(MLA_SOURCE_DIR "/tests/golden/mla-plain");
  drop(folder);
  ASSERT_TRUE(wait_for([&] { return session_.snapshot()->experiment.model == folder.toStdString(); }));
  ASSERT_TRUE(wait_for([&] { return step_count(session_) >= 1; }));
  EXPECT_FALSE(session_.snapshot()->random_weights);
  EXPECT_TRUE(QString::fromStdString(session_.snapshot()->tokens->back().text).startsWith('#')) << "no tokenizer: ids";
}

TEST_F(MainWindowTest, AFolderThatIsNoModelIsRefusedByName) {
  run_tiny();
  drop(folder_.path());
  ASSERT_TRUE(message());
  EXPECT_TRUE(message()->text().contains("config.json")) << message()->text().toStdString();
  EXPECT_EQ(session_.experiment(), tiny_experiment()) << "nothing is lost";
}

}  // namespace
}  // namespace mla::ui
