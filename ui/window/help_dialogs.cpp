#include "ui/window/help_dialogs.h"

#include <QAction>
#include <QCoreApplication>
#include <QDialog>
#include <QDialogButtonBox>
#include <QHeaderView>
#include <QLabel>
#include <QTableWidget>
#include <QVBoxLayout>
#include <utility>
#include <vector>

namespace mla::ui {
namespace {

using Line = std::pair<QString, QString>;  // keys, what they do

QString tr(const char* text) { return QCoreApplication::translate("HelpDialogs", text); }

/// Keys that belong to a pane and not to a menu.
std::vector<Line> pane_keys() {
  return {{tr("→"), tr("One token, where no control has the key")},
          {tr("Arrows, Page Up/Down, Home, End, wheel"), tr("Move a slider, or the divider of the head")},
          {tr("Tab, Shift+Tab"), tr("Next or previous control")},
          {tr("Double-click on a pane's title"), tr("Enlarge the pane, and back")},
          {tr("1, 2, 3, 4 on the attention map"), tr("Weights, total score, NoPE part, RoPE part")},
          {tr("L on the attention map"), tr("Linear or logarithmic colours")},
          {tr("Wheel or +, − on the attention map"), tr("Zoom; drag to pan")},
          {tr("Click on the attention map, Esc"), tr("Lock a cell, and let it go")}};
}

std::vector<Line> menu_keys(const QWidget& window) {
  std::vector<Line> lines;
  for (const QAction* action : window.findChildren<QAction*>()) {
    if (action->shortcut().isEmpty()) continue;
    lines.push_back({action->shortcut().toString(QKeySequence::NativeText), action->text().remove(QLatin1Char('&'))});
  }
  return lines;
}

QDialog* new_dialog(QWidget* window, const QString& title, QWidget* content) {
  auto* dialog = new QDialog(window);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setWindowTitle(title);
  auto* layout = new QVBoxLayout(dialog);
  layout->addWidget(content, 1);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  QObject::connect(buttons, &QDialogButtonBox::rejected, dialog, &QDialog::close);
  layout->addWidget(buttons);
  return dialog;
}

QTableWidget* new_table(const std::vector<Line>& lines) {
  auto* table = new QTableWidget(int(lines.size()), 2);
  table->setHorizontalHeaderLabels({tr("Keys"), tr("What they do")});
  table->setAccessibleName(tr("Shortcuts"));
  table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->verticalHeader()->hide();
  table->horizontalHeader()->setStretchLastSection(true);
  for (int row = 0; row < int(lines.size()); ++row) {
    table->setItem(row, 0, new QTableWidgetItem(lines[row].first));
    table->setItem(row, 1, new QTableWidgetItem(lines[row].second));
  }
  table->resizeColumnToContents(0);
  table->resizeRowsToContents();
  return table;
}

QString about_text() {
  const QString version = QCoreApplication::applicationVersion();
  return tr("<h3>MLA Explorer %1</h3>"
            "<p>Shows Multi-head Latent Attention while it decodes: what its cache holds, how long each token takes, and "
            "what it attends to.</p>"
            "<p><b>Measured</b> on this machine, for every token: the bytes that the cache holds, the time of each stage, "
            "the attention itself (from the call that produced the token), and the bandwidth and arithmetic rate behind the "
            "roofline.</p>"
            "<p><b>By formula</b>: the memory of the other variants, and the roofline's prediction from those measured "
            "ceilings.</p>"
            "<p><b>Trained</b>: the model it opens on continues fairy tales. With random weights, which presets and other "
            "shapes have, bytes and milliseconds are real, and the text and the attention mean nothing.</p>"
            "<p><b>CUDA</b>: the kernels give what the CPU gives, as far as a processor that stands in for the GPU can "
            "show. They were made without one, so how fast they are is not known here: <b>Measure</b> in the Crossover tab "
            "times "
            "them on yours.</p>"
            "<p><b>Not there yet</b>: tensor-product attention.</p>"
            "<p>Built with Qt %2, running on Qt %3. Free software under the GNU General Public License, version 3 or "
            "later.</p>")
      .arg(version, QStringLiteral(QT_VERSION_STR), QString::fromLatin1(qVersion()));
}

}  // namespace

void show_shortcuts(QWidget* window) {
  std::vector<Line> lines = menu_keys(*window);
  const std::vector<Line> more = pane_keys();
  lines.insert(lines.end(), more.begin(), more.end());
  QDialog* dialog = new_dialog(window, tr("Shortcuts"), new_table(lines));
  dialog->resize(620, 560);
  dialog->open();
}

void show_about(QWidget* window) {
  auto* text = new QLabel(about_text());
  text->setWordWrap(true);
  text->setTextInteractionFlags(Qt::TextBrowserInteraction);
  QDialog* dialog = new_dialog(window, tr("About MLA Explorer"), text);
  dialog->resize(560, 420);
  dialog->open();
}

}  // namespace mla::ui
