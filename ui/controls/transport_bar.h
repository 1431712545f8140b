#pragma once

#include <QAction>
#include <QLabel>
#include <QSlider>
#include <QWidget>

#include "ui/controls/value_scale.h"

namespace mla::ui {

/// Play or pause, one step, reset, and the speed. The actions carry the shortcuts and can stand in menus too.
class TransportBar : public QWidget {
  Q_OBJECT
 public:
  explicit TransportBar(QWidget* parent = nullptr);

  QAction* playAction() const { return play_; }
  QAction* stepAction() const { return step_; }
  QAction* resetAction() const { return reset_; }
  QSlider* speedSlider() const { return speed_; }
  /// Shows whether tokens come by themselves, without telling anybody.
  void setPlaying(bool playing);

 signals:
  void playToggled(bool playing);
  void stepWanted();
  void resetWanted();
  void speedChosen(double tokensPerSecond);  ///< 0: as fast as it goes

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void buildActions();
  void showIcons();
  void fitText();
  void chooseSpeed(int stop);

  QAction* play_;
  QAction* step_;
  QAction* reset_;
  ValueScale speeds_;  // tokens per second
  QSlider* speed_;
  QLabel* speed_text_;
};

}  // namespace mla::ui
