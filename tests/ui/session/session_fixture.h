#pragma once

#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <QTest>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/engine/run.h"
#include "ui/session/session.h"

namespace mla::ui {

/// A block small enough that a step takes well under a millisecond.
inline Experiment tiny_experiment() {
  Experiment experiment = default_experiment();
  AttentionSpec& attention = experiment.spec.attention;
  attention.hidden_size = 64;
  attention.num_attention_heads = attention.num_key_value_heads = 4;
  attention.qk_nope_head_dim = 12;
  attention.qk_rope_head_dim = 4;
  attention.v_head_dim = 16;
  attention.kv_lora_rank = 24;
  experiment.spec.intermediate_size = 128;
  experiment.spec.num_hidden_layers = experiment.layers = 2;
  experiment.context = 512;
  experiment.threads = 1;
  return experiment;
}

inline std::vector<std::unique_ptr<ComputeBackend>> cpu_backends() {
  std::vector<std::unique_ptr<ComputeBackend>> backends;
  backends.push_back(make_cpu_backend());
  return backends;
}

/// Runs the event loop until `done`, 30 s at most (a minute of sanitizer's time).
inline bool wait_for(const std::function<bool()>& done, int ms = 30000) { return QTest::qWaitFor(done, ms); }

/// Runs on a thread of its own, where the engine may be called.
inline void off_the_window(const std::function<void()>& work) { std::thread(work).join(); }

inline int step_count(const Session& session) {
  return session.snapshot()->steps ? int(session.snapshot()->steps->size()) : 0;
}
inline int token_count(const Session& session) {
  return session.snapshot()->tokens ? int(session.snapshot()->tokens->size()) : 0;
}

}  // namespace mla::ui
