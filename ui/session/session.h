#pragma once

#include <QObject>
#include <memory>
#include <vector>

#include "ui/session/snapshot.h"
#include "ui/session/study.h"
#include "ui/session/throttle.h"

namespace mla::ui {

class Analyst;

/// Which attention the views want recorded.
struct AttentionRequest {
  bool rows = true;  ///< false: no view shows attention, so none is recorded
  int layer = 0;
  MapValue value = MapValue::weight;  ///< what the thumbnails pool
  bool operator==(const AttentionRequest&) const = default;
};

/// Settings in, snapshots out. Owns the worker thread, on which every engine call happens; its own methods return at once.
class Session : public QObject {
  Q_OBJECT
 public:
  /// Takes the backends the application knows.
  explicit Session(std::vector<std::unique_ptr<ComputeBackend>> backends, QObject* parent = nullptr);
  ~Session() override;  ///< cancels what runs and joins the worker

  /// The experiment asked for last (the snapshot's may still be an older one).
  const Experiment& experiment() const { return experiment_; }
  /// The newest snapshot; never null.
  const SnapshotPtr& snapshot() const { return snapshot_; }
  /// Whether tokens are wanted one after the other; a run that is over or being prepared does not change that.
  bool playing() const { return playing_; }
  /// What is to be found out about trained models from now on, beside quality and kinds of heads.
  void study(const Topics& topics);

 public slots:
  /// Replaces the settings at once: cancels what runs, keeps weights where it can, and prefills the history again.
  void setExperiment(const mla::Experiment& experiment);
  void play();
  void pause();
  void step();                            ///< one token, then paused
  void restart();                         ///< the prompt anew
  void cancel();                          ///< what is being prepared; the run before it goes on
  void setSpeed(double tokensPerSecond);  ///< 0: as fast as it goes
  void request(const mla::ui::AttentionRequest& request);
  void pin();  ///< keeps the present run for comparison
  void unpin(int index);
  /// Measures where the paths of the present run cross. Everything else that the engine does is held meanwhile; other
  /// settings cancel it.
  void measureCrossover();
  void cancelCrossover();
  /// These take the place of all pinned runs; nothing was measured of them.
  void setPinned(const std::vector<mla::Experiment>& experiments);

 signals:
  void experimentChanged(const mla::Experiment& experiment);  ///< asked for, not yet running; or back to the running one
  void snapshotChanged(mla::ui::SnapshotPtr snapshot);        ///< at most one a frame
  void refused(const QString& reason);  ///< the settings asked for can't run; the last good run goes on

 private:
  class Worker;
  void show(const Snapshot& snapshot);
  Q_INVOKABLE void deliver();  // called through the event loop when the worker or the analyst has something to show

  Experiment experiment_;
  quint64 ticket_ = 0;  // of the experiment asked for last
  SnapshotPtr snapshot_;
  AttentionRequest request_;
  bool playing_ = false;
  Throttle throttle_{kFrame};
  bool planned_ = false;  // a delivery, for when the throttle lets it
  bool found_ = false;    // the analyst has something that no snapshot has yet
  Analyst* analyst_;
  Topics topics_{Topic::quality, Topic::precision, Topic::heads};
  std::unique_ptr<Worker> worker_;
};

}  // namespace mla::ui
