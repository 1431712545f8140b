#include "ui/window/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QKeyEvent>
#include <QLabel>
#include <QMimeData>
#include <QProgressBar>
#include <QTimer>
#include <QUrl>
#include <utility>

#include "ui/controls/experiment_panel.h"
#include "ui/controls/transport_bar.h"
#include "ui/export/export_queue.h"
#include "ui/views/attention_view.h"
#include "ui/views/heads_view.h"
#include "ui/views/tokens_view.h"
#include "ui/window/experiment_files.h"
#include "ui/window/failure_bar.h"
#include "ui/window/panes.h"
#include "ui/window/settings_keys.h"
#include "ui/window/status_text.h"

namespace mla::ui {

MainWindow::MainWindow(Session& session, const QString& settings_file, QWidget* parent)
    : QMainWindow(parent),
      session_(session),
      settings_(settings_file.isEmpty() ? nullptr : std::make_unique<QSettings>(settings_file, QSettings::IniFormat)),
      files_(new ExperimentFiles(settings_.get(), this)),
      exports_(new ExportQueue(this)) {
  setAcceptDrops(true);
  setAnimated(false);
  buildPanes();
  buildStatusBar();
  buildFileMenu();
  buildViewMenu();
  buildRunMenu();
  buildHelpMenu();
  connectControls();
  connectViews();
  connectExports();
  recall();
  panel_->setExperiment(session_.experiment());
  showSnapshot(session_.snapshot());
  showTitle();
}

// Hiding tells the docks, and they tell us: while we still are a MainWindow.
MainWindow::~MainWindow() { hide(); }

void MainWindow::connectControls() {
  connect(panel_, &ExperimentPanel::experimentChosen, &session_, &Session::setExperiment);
  connect(&session_, &Session::experimentChanged, panel_, &ExperimentPanel::setExperiment);
  connect(&session_, &Session::experimentChanged, this, &MainWindow::showTitle);
  connect(&session_, &Session::refused, panel_, &ExperimentPanel::showRefusal);
  connect(&session_, &Session::snapshotChanged, this, &MainWindow::showSnapshot);
  connect(files_, &ExperimentFiles::changed, this, &MainWindow::showTitle);
  connect(failure_, &FailureBar::cpuWanted, this, &MainWindow::useCpu);
  connect(transport_, &TransportBar::playToggled, this,
          [this](bool playing) { playing ? session_.play() : session_.pause(); });
  connect(transport_, &TransportBar::stepWanted, &session_, &Session::step);
  connect(transport_, &TransportBar::resetWanted, &session_, &Session::restart);
  connect(transport_, &TransportBar::speedChosen, &session_, &Session::setSpeed);
}

void MainWindow::connectViews() {
  const auto asked = [this](const AttentionRequest& request) { requestAttention(request); };
  connect(attention_, &AttentionView::requestChanged, this, asked);
  connect(heads_, &HeadsView::requestChanged, this, asked);
  connect(heads_, &HeadsView::headChosen, attention_, &AttentionView::setHead);
  connect(heads_, &HeadsView::headChosen, tokens_, &TokensView::setHead);
  connect(heads_, &HeadsView::headHovered, attention_, &AttentionView::previewHead);
  connect(attention_, &AttentionView::headChosen, heads_, &HeadsView::setHead);
  connect(attention_, &AttentionView::headChosen, tokens_, &TokensView::setHead);
  connect(tokens_, &TokensView::tokenChosen, attention_, &AttentionView::lockQuery);
}

/// The views that show attention agree on what is asked for; nothing is recorded while all of them are hidden.
void MainWindow::requestAttention(AttentionRequest request) {
  request_ = request;
  heads_->setLayer(request.layer);
  heads_->setValue(request.value);
  attention_->setLayer(request.layer);
  attention_->setValue(request.value);
  studyWhatIsSeen();
  request.rows = !panes_->centre()->isHidden() || !panes_->paneOf(tokens_)->isHidden();
  session_.request(request);
}

/// Measurements beside the decode are made for the views that somebody can see.
void MainWindow::studyWhatIsSeen() {
  Topics topics;
  for (View* view : views_)
    if (view->topic() && seen_.contains(panes_->paneOf(view))) topics.insert(*view->topic());
  session_.study(topics);
}

void MainWindow::showSnapshot(const SnapshotPtr& snapshot) {
  if (exports_->recording()) return;  // the newest follows when all files have their moment
  shown_ = snapshot;
  using State = Snapshot::State;
  const bool over = snapshot->state == State::finished || snapshot->state == State::failed;
  transport_->setPlaying(session_.playing() && !over);
  if (!snapshot->backends.empty()) panel_->setBackends(snapshot->backends);
  for (View* view : views_) view->setSnapshot(snapshot);
  setWindowModified(files_->differs(shownExperiment()));
  panel_->setPrecisionNote(precision_text(*snapshot));
  failure_->setSnapshot(*snapshot, session_.experiment().backend);
  const QString honesty = honesty_text(*snapshot);
  banner_->setText(honesty);
  banner_->setVisible(!honesty.isEmpty());
  if (!status_pause_->isActive()) showStatus();
  const bool busy = !snapshot->activity.isEmpty();
  progress_->setVisible(busy);
  if (!busy) return;
  progress_->setUpdatesEnabled(false);  // a progress bar would paint at once, and all else that waits for paint with it
  progress_->setRange(0, snapshot->progress < 0 ? 0 : 100);
  if (snapshot->progress >= 0) progress_->setValue(int(snapshot->progress * 100));
  progress_->setUpdatesEnabled(true);
}

/// The same settings on the processor, from the tokens so far.
void MainWindow::useCpu() {
  Experiment experiment = session_.experiment();
  experiment.backend = "cpu";
  session_.setExperiment(experiment);
}

/// Ten times a second: nobody reads numbers that change with every frame.
void MainWindow::showStatus() {
  if (shown_ == in_status_) return;
  in_status_ = shown_;
  status_->setText(status_text(*shown_));
  status_->setToolTip(status_->text());
  history_->setText(history_text(*shown_));
  history_->setToolTip(history_details(*shown_));
  status_pause_->start();
}

void MainWindow::recall() {
  if (!settings_) return;
  const int points = settings_->value(keys::font, 0).toInt();
  if (points > 0) setFontSize(points);
  if (settings_->contains(keys::geometry)) restoreGeometry(settings_->value(keys::geometry).toByteArray());
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  if (std::exchange(arranged_, true)) return;
  arrangePanes();
  if (settings_ && settings_->contains(keys::layout)) panes_->setLayout(settings_->value(keys::layout).toByteArray());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (settings_) {
    settings_->setValue(keys::geometry, saveGeometry());
    settings_->setValue(keys::layout, panes_->layout());
  }
  event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (urls.size() == 1 && urls.front().isLocalFile()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  event->acceptProposedAction();
  openFile(event->mimeData()->urls().front().toLocalFile());
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Right && event->modifiers() == Qt::NoModifier) return session_.step();
  QMainWindow::keyPressEvent(event);
}

}  // namespace mla::ui
