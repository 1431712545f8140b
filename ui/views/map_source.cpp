#include "ui/views/map_source.h"

#include <algorithm>

namespace mla::ui {

MapSource MapSource::from(const Snapshot& snapshot, int head, MapValue value) {
  MapSource source{snapshot.run, snapshot.attention, snapshot.tokens, head, value};
  source.head = std::clamp(head, 0, std::max(0, source.heads() - 1));
  return source;
}

std::int64_t MapSource::cells() const {
  std::int64_t cells = 0;
  if (!empty())
    for (const auto& row : *history.rows) cells += row->keys;
  return cells;
}

MapBlock MapSource::keptBlock(const MapBlock& block) const {
  const int whole = history.whole_from / block.queries * block.queries;  // the first block with a row that was not thinned
  if (block.query >= whole || block.queries >= history.stride) return block;
  MapBlock kept = block;
  kept.query -= block.query % history.stride;
  kept.queries = std::min(kept.query + history.stride, whole) - kept.query;
  return kept;
}

int MapSource::rowsIn(const MapBlock& block) const {
  int rows = 0;
  for (int q = block.query; q < block.query + block.queries; ++q) rows += row(q) != nullptr;
  return rows;
}

const AttentionRow* MapSource::row(int query) const {
  if (empty()) return nullptr;
  const auto& rows = *history.rows;
  const auto found = std::lower_bound(rows.begin(), rows.end(), query, [](const auto& r, int q) { return r->query < q; });
  return found != rows.end() && (*found)->query == query ? found->get() : nullptr;
}

QString MapSource::tokenLabel(int position) const {
  if (!tokens || position < 0 || position >= int(tokens->size())) return QString::number(position);
  QString text = QString::fromStdString((*tokens)[position].text);
  if (text.trimmed().isEmpty()) text.replace(QLatin1Char(' '), QChar(0x2423));
  return text.isEmpty() ? QString::number(position) : text;
}

std::span<const float> valuesOf(const AttentionRow& row, int head, MapValue value, std::vector<float>& scratch) {
  const std::size_t start = std::size_t(head) * row.keys, count = row.keys;
  const auto part = [&](const std::vector<float>& values) { return std::span(values).subspan(start, count); };
  if (value == MapValue::weight) return part(row.weights);
  if (value == MapValue::nope) return part(row.scores_nope);
  if (value == MapValue::score && row.scores_rope.empty()) return part(row.scores_nope);
  if (value == MapValue::rope && !row.scores_rope.empty()) return part(row.scores_rope);
  scratch.assign(count, 0);
  if (value == MapValue::score) {
    for (std::size_t i = 0; i < count; ++i) scratch[i] = row.scores_nope[start + i] + row.scores_rope[start + i];
  }
  return scratch;
}

MapReading readCell(const AttentionRow& row, int head, int key) {
  MapReading reading{row.query, key};
  reading.weight = cell(row, head, key, MapValue::weight);
  reading.nope = cell(row, head, key, MapValue::nope);
  reading.rope = cell(row, head, key, MapValue::rope);
  reading.has_rope = !row.scores_rope.empty();
  return reading;
}

bool largestOf(const MapSource& source, const MapBlock& block, MapReading& reading) {
  const AttentionRow* best = nullptr;
  int key = 0;
  float largest = 0;
  for (int q = block.query; q < block.query + block.queries; ++q) {
    const AttentionRow* row = source.row(q);
    const int end = row ? std::min(row->keys, block.key + block.keys) : 0;
    for (int k = std::max(0, block.key); k < end; ++k) {
      const float value = cell(*row, source.head, k, source.value);
      if (best && value <= largest) continue;
      best = row;
      key = k;
      largest = value;
    }
  }
  if (best) reading = readCell(*best, source.head, key);
  return best != nullptr;
}

}  // namespace mla::ui
