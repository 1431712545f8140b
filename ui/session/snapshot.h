#pragma once

#include <QString>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/cache_error.h"
#include "core/analysis/comparison.h"
#include "core/analysis/cost.h"
#include "core/analysis/coupled_rope.h"
#include "core/analysis/crossover.h"
#include "core/analysis/head_kinds.h"
#include "core/analysis/pooled_map.h"
#include "core/analysis/quality_curve.h"
#include "core/analysis/rank_lens_measure.h"
#include "core/engine/backend.h"
#include "core/engine/trace.h"
#include "core/spec/experiment.h"

namespace mla::ui {

/// One token of sequence 0: an id and its text, or an input vector (id -1, text "x7").
struct Token {
  int id = -1;
  std::string text;
  bool generated = false;  ///< chosen by the model, not part of the prompt
};

/// One measured decode step; what a chart needs of its trace.
struct Step {
  int tokens = 0;  ///< positions held after it
  double ms = 0;
  StageTimes stages{};
  StageSplit split = StageSplit::measured;  ///< of scores, softmax and values in `stages`
  std::int64_t cache_bytes = 0;
  std::int64_t cache_allocated_bytes = 0;
  Work work;
  double roofline_ms = 0;  ///< predicted from the measured ceilings of what runs it; 0 while those are not known yet
};

/// A run kept for comparison: its settings and its measured steps.
struct PinnedRun {
  Experiment experiment;
  QString name;  ///< what differs from the present run's settings when it was pinned
  std::shared_ptr<const std::vector<Step>> steps;
};

/// Rows of the recorded layer, in order of query position, oldest first. Rows before `first` were not recorded or were let
/// go. From `whole_from` on every row is there; of those before it the queries that `stride` divides.
struct AttentionHistory {
  int layer = 0;
  int first = 0;
  int whole_from = 0;
  int stride = 1;                ///< a power of two; 1: nothing was let go
  std::int64_t bytes = 0;        ///< that the rows take
  std::int64_t limit_bytes = 0;  ///< that they may take
  std::shared_ptr<const std::vector<std::shared_ptr<const AttentionRow>>> rows;
  std::shared_ptr<const PooledMaps> thumbnails;
};

/// How well a trained model predicts the held-out excerpt at the present settings.
struct QualityReport {
  enum class State { none, measuring, known, failed };  ///< none: random weights, or too large to measure unasked
  State state = State::none;
  double bits_per_byte = 0;  ///< where it is known
  QString error;             ///< where it failed
};

/// What was found out about a trained model beside its decode.
struct Findings {
  QualityReport quality;
  std::optional<CacheError> precision;  ///< of the cache against fp32; none while not measured, or where it is fp32
  QString precision_note;
  std::shared_ptr<const std::vector<QualityPoint>> quality_curve;  ///< null: nobody asked
  std::shared_ptr<const RankCurve> rank;                           ///< quality against rank; null while not measured
  QString rank_note;                                               ///< what it waits for, or why there is none
  std::shared_ptr<const CoupledRope> coupled;                      ///< scores with coupled RoPE; null while not computed
  QString coupled_note;
  std::shared_ptr<const Comparison> comparison;  ///< with another experiment; null while not computed
  QString comparison_note;
  std::shared_ptr<const std::vector<HeadScore>> head_kinds;  ///< of the layers that run; null while not scored
};

/// Where the paths of this run's attention cross: measured when somebody asks for it, while the decode is held.
struct CrossoverReport {
  std::shared_ptr<const Crossover> crossover;  ///< null: not measured; while it is measured, what there is so far
  double progress = -1;                        ///< 0 … 1 while it is measured, else -1
  QString error;                               ///< why there can't be one, or why the last attempt failed
  bool measuring() const { return progress >= 0; }
};

/// All that a view or an exporter may show, at one moment. Immutable once published.
struct Snapshot : Findings {
  enum class State { idle, preparing, running, paused, finished, failed };
  quint64 run = 0;        ///< grows with every new decode; rows and steps of different runs never mix
  Experiment experiment;  ///< what this run is computing
  State state = State::idle;
  QString activity;      ///< what is going on while preparing, e.g. "making 604 MB of weights"
  double progress = -1;  ///< 0 … 1, or -1 where it isn't known
  QString error;         ///< why it failed; empty otherwise
  bool random_weights = true;
  BackendInfo backend;
  std::vector<BackendInfo> backends;  ///< every backend this program knows, with its probe result
  std::shared_ptr<const std::vector<Token>> tokens;
  std::shared_ptr<const std::vector<Step>> steps;  ///< decode steps of this run, oldest first
  AttentionHistory attention;
  /// What rows, thumbnails, tokens and steps take, with the copies that snapshots share, and the most that they may take
  /// when the context is full.
  std::int64_t history_bytes = 0, history_limit_bytes = 0;
  std::vector<PinnedRun> pinned;
  CrossoverReport crossover;
  Ceilings ceilings;  ///< of the backend
  std::int64_t weight_bytes = 0;
  std::weak_ptr<const ModelWeights> weights;  ///< for measurements beside the decode; the run itself keeps them
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace mla::ui
