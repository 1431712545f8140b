#pragma once

#include <QComboBox>
#include <QGridLayout>
#include <QLabel>
#include <QScrollArea>
#include <QWidget>
#include <functional>
#include <string>
#include <vector>

#include "core/engine/backend.h"
#include "core/spec/experiment.h"
#include "ui/controls/dimension_slider.h"

namespace mla::ui {

/// Every setting of an experiment as a control. A change that keeps the rules is told at once, while a slider is still being
/// dragged; one that breaks them is explained at the foot, and the control goes back.
class ExperimentPanel : public QWidget {
  Q_OBJECT
 public:
  explicit ExperimentPanel(QWidget* parent = nullptr);

  const Experiment& experiment() const { return experiment_; }
  /// Shows an experiment without telling anybody.
  void setExperiment(const Experiment& experiment);
  /// What the cache's precision costs, shown beneath it; nothing for an empty text.
  void setPrecisionNote(const QString& text);
  /// The backends to choose from; those that can't be used are listed with the reason.
  void setBackends(const std::vector<BackendInfo>& backends);
  /// Says at the foot why settings were refused; an empty text takes that back.
  void showRefusal(const QString& reason);

  /// The control of a setting, by the setting's name ("preset" too); null where there is none.
  QWidget* control(const std::string& setting) const;

 signals:
  void experimentChosen(const mla::Experiment& experiment);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  struct Control {
    std::string setting;
    QWidget* widget;
    QLabel* label;
    QString tip;
    std::function<void()> show;  ///< the present experiment's value, telling nobody
  };
  struct Choice {
    QString text;
    std::string value;
  };
  struct Words {  ///< of one control
    QString label;
    QString tip;
  };

  void buildModel(QGridLayout& grid);
  void buildDimensions(QGridLayout& grid);
  void buildRun(QGridLayout& grid);
  void buildMachine(QGridLayout& grid);
  void buildText(QGridLayout& grid);
  void addHeading(QGridLayout& grid, const QString& text);
  void add(QGridLayout& grid, const std::string& setting, QWidget* widget, const Words& words, std::function<void()> show);
  void addSlider(QGridLayout& grid, const std::string& setting, const Words& words, const QString& zero = {});
  void addNumber(QGridLayout& grid, const std::string& setting, const Words& words, int high, const QString& zero = {});
  struct Decimals {
    double low, high, step;
  };
  void addDecimal(QGridLayout& grid, const std::string& setting, const Words& words, const Decimals& range,
                  const QString& zero);
  void addChoice(QGridLayout& grid, const std::string& setting, const Words& words, const std::vector<Choice>& choices);
  void addLine(QGridLayout& grid, const std::string& setting, const Words& words);
  void addPresets(QGridLayout& grid);
  void addHead(QGridLayout& grid);
  QWidget* buildFoot();
  void fitWidth();

  void choose(const std::string& setting, const std::string& value);
  void chooseModel(const QString& key);
  static QString modelKey(const std::string& model);
  void offer(const Experiment& experiment, const std::string& asked);
  void showAll();
  void showPaths();
  void showBackends();
  void showNote(const QString& note);

  Experiment experiment_;
  std::vector<BackendInfo> backends_;
  std::vector<Control> controls_;
  QScrollArea* scroll_ = nullptr;
  QComboBox* paths_ = nullptr;
  QComboBox* backend_box_ = nullptr;
  QLabel* precision_ = nullptr;
  QLabel* note_ = nullptr;
  QLabel* refusal_ = nullptr;
};

}  // namespace mla::ui
