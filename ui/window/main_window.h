#pragma once

#include <QMainWindow>
#include <QSettings>
#include <memory>
#include <set>
#include <vector>

#include "core/spec/result.h"
#include "ui/session/session.h"
#include "ui/theme/theme.h"
#include "ui/views/view.h"

class QAction;
class QLabel;
class QMenu;
class QProgressBar;
class QTimer;

namespace mla::ui {

class AttentionView;
class ExperimentFiles;
class ExperimentPanel;
class ExportQueue;
class FailureBar;
class HeadsView;
class Panes;
class TokensView;
class TransportBar;

/// The window: the controls left, the attention in the centre, memory and latency right, the tokens below. Sends intents to
/// the session and shows its snapshots; starting the first run is up to the caller.
class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  /// `settings_file`: an INI file that remembers layout, theme, font and recent files; empty: nothing is remembered, and the
  /// application's theme and font stay as they are.
  MainWindow(Session& session, const QString& settings_file, QWidget* parent = nullptr);
  ~MainWindow() override;

  /// Shows a snapshot; without a running session too, for pictures of the window.
  void showSnapshot(const SnapshotPtr& snapshot);
  /// Opens an experiment file, or a model's folder, and starts it from its prompt; a bad one gets one message and changes
  /// nothing.
  void openFile(const QString& path);
  /// What a file keeps of this moment: the settings, the pinned runs' settings, what is chosen in the views.
  SavedExperiment shownExperiment();
  /// Writes every view into the folder (made if missing) in every format, e.g. "memory.svg"; all show this moment. Returns
  /// at once; a failure gets a message.
  void exportInto(const QString& folder);

  /// The views, in the order of their exports.
  const std::vector<View*>& views() const { return views_; }
  ExperimentPanel& experimentPanel() const { return *panel_; }
  TransportBar& transport() const { return *transport_; }
  Panes& panes() const { return *panes_; }
  ExperimentFiles& files() const { return *files_; }
  ExportQueue& exports() const { return *exports_; }

 protected:
  void showEvent(QShowEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void buildPanes();
  void arrangePanes();
  QWidget* buildExperimentPane();
  QWidget* buildCentre();
  void buildStatusBar();
  void connectControls();
  void connectViews();

  void buildFileMenu();
  void buildViewMenu();
  void addThemes(QMenu& menu);
  void buildRunMenu();
  void buildHelpMenu();
  void fillRecentMenu(QMenu& menu);

  void chooseFile();
  void chooseModel();
  void openModel(const QString& directory);
  void save(bool ask_where);
  void exportOne();
  void exportEvery();
  void connectExports();
  void showExports();
  void report(const Status& status);
  void showTitle();

  void useCpu();
  void requestAttention(AttentionRequest request);
  void studyWhatIsSeen();
  void clearPins();
  void setTheme(ThemeChoice choice);
  void setFontSize(int points);
  void showStatus();
  void recall();

  Session& session_;
  std::unique_ptr<QSettings> settings_;
  ExperimentFiles* files_;
  ExportQueue* exports_;
  QAction* cancel_export_ = nullptr;
  ExperimentPanel* panel_;
  TransportBar* transport_;
  Panes* panes_;
  HeadsView* heads_;
  AttentionView* attention_;
  TokensView* tokens_;
  std::vector<View*> views_;
  FailureBar* failure_;
  QLabel* banner_;
  QLabel* status_;
  QLabel* history_;
  QTimer* status_pause_;
  QProgressBar* progress_;
  SnapshotPtr shown_, in_status_;
  AttentionRequest request_;
  std::set<const QWidget*> seen_;  // the docks that are not hidden, neither by others
  bool arranged_ = false;
};

}  // namespace mla::ui
