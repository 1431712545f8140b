#include "ui/window/pane_title.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QMouseEvent>

#include "ui/controls/icons.h"
#include "ui/theme/theme.h"

namespace mla::ui {

PaneTitle::PaneTitle(const QString& title, bool movable, QWidget* parent) : QFrame(parent) {
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(8, 1, 2, 1);
  layout->setSpacing(0);
  auto* name = new QLabel(title);
  name->setFont(strongFont(name->font()));
  layout->addWidget(name, 1);
  maximise_ = addButton(tr("Enlarge %1").arg(title),
                        tr("Enlarge this pane to the whole window, and back (double-click, Ctrl+Shift+M)"));
  connect(maximise_, &QToolButton::clicked, this, &PaneTitle::maximiseWanted);
  if (movable) {
    float_ = addButton(tr("Detach %1").arg(title), tr("A window of its own, and back"));
    hide_ = addButton(tr("Hide %1").arg(title), tr("Hide this pane; the View menu shows it again"));
    connect(float_, &QToolButton::clicked, this, &PaneTitle::floatWanted);
    connect(hide_, &QToolButton::clicked, this, &PaneTitle::hideWanted);
  }
  setAutoFillBackground(true);
  setBackgroundRole(QPalette::Button);  // tells changeEvent, so only now
  showIcons();
}

QToolButton* PaneTitle::addButton(const QString& name, const QString& tip) {
  auto* button = new QToolButton;
  button->setAutoRaise(true);
  button->setIconSize({12, 12});
  button->setAccessibleName(name);
  button->setToolTip(tip);
  layout()->addWidget(button);
  return button;
}

void PaneTitle::setMaximised(bool maximised) {
  maximised_ = maximised;
  for (QToolButton* button : {float_, hide_}) {
    if (button) button->setDisabled(maximised);
  }
  showIcons();
}

void PaneTitle::showIcons() {
  maximise_->setIcon(themed_icon(maximised_ ? QStringLiteral("restore") : QStringLiteral("maximise"), palette()));
  if (float_) float_->setIcon(themed_icon(QStringLiteral("float"), palette()));
  if (hide_) hide_->setIcon(themed_icon(QStringLiteral("close"), palette()));
}

void PaneTitle::mouseDoubleClickEvent(QMouseEvent* event) {
  event->accept();  // a dock would float
  emit maximiseWanted();
}

void PaneTitle::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) showIcons();
  QFrame::changeEvent(event);
}

}  // namespace mla::ui
