#include "ui/session/attention_store.h"

#include <utility>

namespace mla::ui {

void AttentionStore::add(const StepTrace& trace) {
  for (const RowPtr& row : trace.attention) {
    if (row->layer != layer_) continue;
    pool(*row);
    bytes_ += row->bytes();
    rows_.push_back(row);
  }
  while (bytes_ > limit_ && rows_.size() > 1) {
    bytes_ -= rows_.front()->bytes();
    rows_.pop_front();
  }
  published_.reset();
}

void AttentionStore::pool(const AttentionRow& row) {
  if (!maps_) maps_.emplace(row.heads, kThumbnail, value_);
  maps_->add(row);
}

void AttentionStore::set_value(MapValue value) {
  if (value == value_) return;
  value_ = value;
  maps_.reset();
  for (const RowPtr& row : rows_) pool(*row);
  published_.reset();
}

AttentionHistory AttentionStore::history() {
  if (published_) return *published_;
  AttentionHistory history;
  history.layer = layer_;
  history.first = rows_.empty() ? 0 : rows_.front()->query;
  history.bytes = bytes_;
  history.limit_bytes = limit_;
  history.rows = std::make_shared<const std::vector<RowPtr>>(rows_.begin(), rows_.end());
  if (maps_) history.thumbnails = std::make_shared<const PooledMaps>(*maps_);
  published_ = history;
  return history;
}

}  // namespace mla::ui
