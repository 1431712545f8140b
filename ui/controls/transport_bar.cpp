#include "ui/controls/transport_bar.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QToolButton>

#include "ui/controls/icons.h"

namespace mla::ui {
namespace {

constexpr int kStartSpeed = 20;  // tokens per second, the session's default

QToolButton* button_for(QAction* action) {
  auto* button = new QToolButton;
  button->setDefaultAction(action);
  button->setAccessibleName(action->text());
  button->setAutoRaise(true);
  button->setIconSize({20, 20});
  return button;
}

}  // namespace

TransportBar::TransportBar(QWidget* parent)
    : QWidget(parent),
      play_(new QAction(this)),
      step_(new QAction(this)),
      reset_(new QAction(this)),
      speeds_({1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000}),
      speed_(new QSlider(Qt::Horizontal)),
      speed_text_(new QLabel) {
  buildActions();
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(8, 4, 8, 4);
  for (QAction* action : {play_, step_, reset_}) layout->addWidget(button_for(action));
  layout->addWidget(speed_, 1);
  layout->addWidget(speed_text_);
  speed_->setRange(0, speeds_.size());  // one more stop: no limit
  speed_->setMinimumWidth(60);
  speed_->setAccessibleName(tr("Speed"));
  speed_->setToolTip(tr("Tokens per second, at the right end as many as the machine can"));
  speed_text_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  connect(speed_, &QSlider::valueChanged, this, &TransportBar::chooseSpeed);
  speed_->setValue(speeds_.nearest(kStartSpeed));
  showIcons();
  fitText();
}

/// Room for the longest speed, so that the slider does not change its length while it is dragged.
void TransportBar::fitText() {
  speed_text_->setMinimumWidth(speed_text_->fontMetrics().horizontalAdvance(tr("%1 tokens/s").arg(1000)));
}

void TransportBar::buildActions() {
  play_->setCheckable(true);
  play_->setText(tr("Play or pause"));
  play_->setToolTip(tr("Play or pause (Space)"));
  play_->setShortcut(Qt::Key_Space);
  step_->setText(tr("Step"));
  step_->setToolTip(tr("One token, then pause (. or →)"));
  step_->setShortcut(Qt::Key_Period);
  reset_->setText(tr("Reset"));
  reset_->setToolTip(tr("Start again from the prompt (R)"));
  reset_->setShortcut(Qt::Key_R);
  connect(play_, &QAction::toggled, this, &TransportBar::showIcons);
  connect(play_, &QAction::triggered, this, &TransportBar::playToggled);
  connect(step_, &QAction::triggered, this, &TransportBar::stepWanted);
  connect(reset_, &QAction::triggered, this, &TransportBar::resetWanted);
}

void TransportBar::setPlaying(bool playing) { play_->setChecked(playing); }

void TransportBar::showIcons() {
  play_->setIcon(themed_icon(play_->isChecked() ? QStringLiteral("pause") : QStringLiteral("play"), palette()));
  step_->setIcon(themed_icon(QStringLiteral("step"), palette()));
  reset_->setIcon(themed_icon(QStringLiteral("reset"), palette()));
}

void TransportBar::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) showIcons();
  if (event->type() == QEvent::FontChange) fitText();
}

void TransportBar::chooseSpeed(int stop) {
  const int speed = stop < speeds_.size() ? speeds_.value(stop) : 0;
  speed_text_->setText(speed == 0 ? tr("no limit") : tr("%1 tokens/s").arg(speed));
  emit speedChosen(speed);
}

}  // namespace mla::ui
