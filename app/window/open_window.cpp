#include "app/window/open_window.h"

#include <QApplication>
#include <QIcon>
#include <QStandardPaths>
#include <cstdlib>

#include "app/cli/backends.h"
#include "app/cli/output.h"
#include "app/window/start_report.h"
#include "core/model/model_catalog.h"
#include "ui/window/main_window.h"

namespace mla {
namespace {

/// Qt ends the program where it can't reach the display: with one line of ours instead of several of its own.
void report_unreachable_display(QtMsgType type, const QMessageLogContext&, const QString&) {
  if (type != QtFatalMsg) return;
  print_error("the display can't be reached; --help lists what runs without one");
  std::_Exit(1);
}

bool has_display() {
  for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}) {
    if (!qEnvironmentVariableIsEmpty(name)) return true;
  }
  return false;
}

/// Where layout, theme and recent files are remembered.
QString settings_file() {
  return QStandardPaths::writableLocation(QStandardPaths::AppConfigLocation) + QStringLiteral("/window.ini");
}

}  // namespace

Outcome open_window(const std::string& file) {
  if (!has_display()) return failed("there is no display for the window; --help lists what runs without one");
  int argc = 1;
  char name[] = "mla-explorer";
  char* argv[] = {name, nullptr};
  QtMessageHandler previous = qInstallMessageHandler(report_unreachable_display);
  QApplication application(argc, argv);
  qInstallMessageHandler(previous);
  QApplication::setApplicationName(QStringLiteral("mla-explorer"));
  QApplication::setApplicationDisplayName(QStringLiteral("MLA Explorer"));
  QApplication::setApplicationVersion(QStringLiteral(MLA_VERSION));

  ui::Session session(make_backends());
  ui::MainWindow window(session, settings_file());
  report_start(session, window);
  window.show();
  if (file.empty()) {
    session.setExperiment(first_experiment());
    session.play();
  } else {
    window.openFile(QString::fromStdString(file));
  }
  return {QApplication::exec(), {}};
}

}  // namespace mla
