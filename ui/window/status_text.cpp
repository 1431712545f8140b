#include "ui/window/status_text.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>
#include <vector>

#include "core/analysis/memory.h"
#include "core/spec/format.h"

namespace mla::ui {
namespace {

constexpr std::size_t kMedianOf = 32;  // steps

QString tr(const char* text) { return QCoreApplication::translate("MainWindow", text); }

QString bytes(std::int64_t value) { return QString::fromStdString(format_bytes(value)); }

/// Milliseconds of the middle one of the last steps.
double median_ms(const std::vector<Step>& steps, std::size_t count) {
  std::vector<double> last;
  for (std::size_t i = steps.size() - count; i < steps.size(); ++i) last.push_back(steps[i].ms);
  std::nth_element(last.begin(), last.begin() + std::ptrdiff_t(count / 2), last.end());
  return last[count / 2];
}

void add_measurements(QStringList& parts, const Snapshot& snapshot) {
  const Experiment& e = snapshot.experiment;
  const std::int64_t per_token = cache_bytes_per_token(e.spec, e.path, e.cache_dtype, e.layers) * e.batch;
  const bool measured = snapshot.steps && !snapshot.steps->empty();
  if (measured) parts << tr("%1 cache").arg(bytes(snapshot.steps->back().cache_bytes));
  parts << tr("%1/token").arg(bytes(per_token));
  if (!measured) return;
  const std::size_t count = std::min(kMedianOf, snapshot.steps->size());
  parts << tr("%1/token (median of last %2)")
               .arg(QString::fromStdString(format_ms(median_ms(*snapshot.steps, count))))
               .arg(count);
}

QString doing(const Snapshot& snapshot) {
  switch (snapshot.state) {
    case Snapshot::State::failed:
      return tr("Failed: %1").arg(snapshot.error);
    case Snapshot::State::finished:
      return tr("finished: the context of %1 tokens is full")
          .arg(QString::fromStdString(format_count(snapshot.experiment.context)));
    case Snapshot::State::paused:
      return tr("paused");
    default:
      return snapshot.activity;
  }
}

QString quality_text(const QualityReport& quality) {
  switch (quality.state) {
    case QualityReport::State::none:
      break;
    case QualityReport::State::measuring:
      return tr("quality: measuring…");
    case QualityReport::State::known:
      return tr("%1 bits/byte on the held-out excerpt").arg(quality.bits_per_byte, 0, 'f', 3);
    case QualityReport::State::failed:
      return tr("quality: %1").arg(quality.error);
  }
  return {};
}

/// What of a trained model is missing from the run; empty where nothing is.
QString loaded_text(const Experiment& e) {
  const int all = e.spec.num_hidden_layers;
  QStringList parts;
  if (e.layers < all)
    parts << tr("Loaded: the first %1 of %2 layers. The others are not; the text follows from the last one loaded.")
                 .arg(e.layers)
                 .arg(all);
  if (const int rank = lens_rank(e.spec.attention); rank > 0)
    parts << tr("Rank lens: keys and values of each layer are cut to rank %1 of %2; nothing is trained again.")
                 .arg(rank)
                 .arg(full_lens_rank(e.spec.attention));
  return parts.join(QLatin1Char(' '));
}

}  // namespace

QString status_text(const Snapshot& snapshot) {
  QStringList parts;
  if (const QString now = doing(snapshot); !now.isEmpty()) parts << now;
  if (snapshot.run > 0) {
    add_measurements(parts, snapshot);
    if (const QString quality = quality_text(snapshot.quality); !quality.isEmpty()) parts << quality;
    if (snapshot.random_weights) parts << tr("weights random: attention content means nothing");
  }
  if (!snapshot.pinned.empty()) parts << tr("pinned: %1").arg(snapshot.pinned.size());
  return parts.join(QStringLiteral(" · "));
}

QString precision_text(const Snapshot& snapshot) {
  if (!snapshot.precision_note.isEmpty()) return tr("Against an fp32 cache: %1").arg(snapshot.precision_note);
  if (!snapshot.precision) return {};
  const CacheError& error = *snapshot.precision;
  const auto number = [](double value) { return QString::number(value, 'g', 2); };
  return tr("Against an fp32 cache, over %1 tokens: attention weights up to %2 apart (mean %3), outputs up to %4 % of their "
            "root mean square (mean %5 %).")
      .arg(error.tokens)
      .arg(number(error.attention_largest), number(error.attention_mean), number(100 * error.output_largest),
           number(100 * error.output_mean));
}

QString history_text(const Snapshot& snapshot) {
  if (snapshot.run == 0 || !snapshot.tokens || snapshot.tokens->empty()) return {};
  return tr("history %1 (≤ %2) · %3/token")
      .arg(bytes(snapshot.history_bytes), bytes(snapshot.history_limit_bytes),
           bytes(snapshot.history_bytes / std::int64_t(snapshot.tokens->size())));
}

QString history_details(const Snapshot& snapshot) {
  if (history_text(snapshot).isEmpty()) return {};
  const AttentionHistory& attention = snapshot.attention;
  QStringList lines{tr("Memory of what the views show of this run: %1, at most %2")
                        .arg(bytes(snapshot.history_bytes), bytes(snapshot.history_limit_bytes))};
  lines << tr("attention rows: %1 of at most %2").arg(bytes(attention.bytes), bytes(attention.limit_bytes));
  if (attention.rows && !attention.rows->empty()) {
    const AttentionRow& newest = *attention.rows->back();
    lines << tr("the newest row: %1, of %2 heads and %3 keys").arg(bytes(newest.bytes())).arg(newest.heads).arg(newest.keys);
  }
  if (attention.stride > 1)
    lines << tr("before token %1: 1 row in %2 kept, the others let go").arg(attention.whole_from).arg(attention.stride);
  lines << tr("thumbnails, tokens, times and bytes of the steps: %1, for at most %2 tokens")
               .arg(bytes(snapshot.history_bytes - attention.bytes),
                    QString::fromStdString(format_count(snapshot.experiment.context)));
  return lines.join(QLatin1Char('\n'));
}

QString honesty_text(const Snapshot& snapshot) {
  if (snapshot.run == 0) return {};
  if (!snapshot.random_weights) return loaded_text(snapshot.experiment);
  QString text = tr("Random weights: bytes and milliseconds are real, attention content means nothing.");
  const Experiment& e = snapshot.experiment;
  if (!e.preset.empty() && e.layers < e.spec.num_hidden_layers) {
    text += QLatin1Char(' ') + (e.layers == 1 ? tr("1 of %1 layers runs.").arg(e.spec.num_hidden_layers)
                                              : tr("%1 of %2 layers run.").arg(e.layers).arg(e.spec.num_hidden_layers));
  }
  return text;
}

}  // namespace mla::ui
