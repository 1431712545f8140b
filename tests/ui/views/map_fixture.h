#pragma once

#include <QApplication>
#include <QDeadlineTimer>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QWheelEvent>
#include <QWidget>
#include <algorithm>
#include <cmath>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// What a snapshot for these views is made of; the numbers are a fixed function of head, query and key.
struct Made {
  int heads = 4;
  int tokens = 12;
  int first = 0;  ///< rows before it are missing
  bool rope = true;
  bool vectors = false;
  int prompt = 5;
  MapValue value = MapValue::weight;
  quint64 run = 1;
  int whole_from = 0, stride = 1;  ///< of the rows before whole_from only the multiples of stride are there
};

/// A number in [0, 1) that looks random.
inline double scatter(int head, int query, int key) {
  std::uint32_t x = std::uint32_t(head) * 2654435761u + std::uint32_t(query) * 40503u + std::uint32_t(key) * 69069u + 12345u;
  x ^= x >> 15;
  x *= 2246822519u;
  x ^= x >> 13;
  return double(x) / 4294967296.0;
}

inline std::shared_ptr<const AttentionRow> makeRow(const Made& made, int query) {
  auto row = std::make_shared<AttentionRow>();
  row->query = query;
  row->heads = made.heads;
  row->keys = query + 1;
  for (int head = 0; head < made.heads; ++head) {
    const std::size_t start = row->weights.size();
    double sum = 0;
    for (int key = 0; key <= query; ++key) {
      const double nope = 6 * scatter(head, query, key) - 3;
      const double rope = made.rope ? 2 * scatter(head + 100, query, key) - 1 : 0;
      row->scores_nope.push_back(float(nope));
      if (made.rope) row->scores_rope.push_back(float(rope));
      row->weights.push_back(float(std::exp(nope + rope)));
      sum += row->weights.back();
    }
    for (std::size_t i = start; i < row->weights.size(); ++i) row->weights[i] = float(row->weights[i] / sum);
  }
  return row;
}

inline std::shared_ptr<Snapshot> makeSnapshot(const Made& made) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->run = made.run;
  snapshot->experiment.layers = 2;
  auto tokens = std::make_shared<std::vector<Token>>();
  const std::string text = "Once upon a time there was a king ";
  for (int i = 0; i < made.tokens; ++i) {
    const char c = text[i % text.size()];
    tokens->push_back(made.vectors ? Token{-1, "x" + std::to_string(i), i >= made.prompt}
                                   : Token{int(c), std::string(1, c), i >= made.prompt});
  }
  snapshot->tokens = tokens;
  auto rows = std::make_shared<std::vector<std::shared_ptr<const AttentionRow>>>();
  auto maps = std::make_shared<PooledMaps>(made.heads, 64, made.value);
  for (int query = made.first; query < made.tokens; ++query) {
    if (query < made.whole_from && query % made.stride != 0) continue;
    rows->push_back(makeRow(made, query));
    maps->add(*rows->back());
  }
  snapshot->attention.first = made.first;
  snapshot->attention.whole_from = made.whole_from;
  snapshot->attention.stride = made.stride;
  snapshot->attention.rows = rows;
  snapshot->attention.thumbnails = maps;
  return snapshot;
}

inline void mouse(QWidget& widget, QEvent::Type type, QPointF at, Qt::MouseButton button = Qt::NoButton,
                  Qt::MouseButtons held = Qt::NoButton) {
  QMouseEvent event(type, at, widget.mapToGlobal(at), button, held, Qt::NoModifier);
  QApplication::sendEvent(&widget, &event);
}

inline void hover(QWidget& widget, QPointF at) { mouse(widget, QEvent::MouseMove, at); }

inline void click(QWidget& widget, QPointF at) {
  mouse(widget, QEvent::MouseButtonPress, at, Qt::LeftButton, Qt::LeftButton);
  mouse(widget, QEvent::MouseButtonRelease, at, Qt::LeftButton);
}

inline void drag(QWidget& widget, QPointF from, QPointF to) {
  mouse(widget, QEvent::MouseButtonPress, from, Qt::LeftButton, Qt::LeftButton);
  for (int i = 1; i <= 10; ++i)
    mouse(widget, QEvent::MouseMove, from + (to - from) * i / 10.0, Qt::NoButton, Qt::LeftButton);
  mouse(widget, QEvent::MouseButtonRelease, to, Qt::LeftButton);
}

inline void wheel(QWidget& widget, QPointF at, int notches) {
  QWheelEvent event(at, widget.mapToGlobal(at), {}, {0, 120 * notches}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase,
                    false);
  QApplication::sendEvent(&widget, &event);
}

inline void press(QWidget& widget, int key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
  QKeyEvent down(QEvent::KeyPress, key, modifiers), up(QEvent::KeyRelease, key, modifiers);
  QApplication::sendEvent(&widget, &down);
  QApplication::sendEvent(&widget, &up);
}

/// Time that a frame leaves on the window's thread; sanitizers make everything several times slower.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr double kFrameMs = 16 * 10;
#else
inline constexpr double kFrameMs = 16;
#endif

inline double threadMs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

/// What the work takes of this thread's own time, the best of several runs: other programs don't count.
template <class Work>
double bestMs(Work work) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double start = threadMs();
    work();
    best = std::min(best, threadMs() - start);
  }
  return best;
}

/// Runs the event loop until `done` says so; false after five seconds.
template <class Done>
bool waitUntil(Done done) {
  const QDeadlineTimer deadline(5000);
  while (!done()) {
    if (deadline.hasExpired()) return false;
    QApplication::processEvents(QEventLoop::AllEvents, 5);
  }
  return true;
}

}  // namespace mla::ui
