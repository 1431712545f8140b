#include "ui/session/attention_store.h"

#include <utility>

namespace mla::ui {
namespace {

std::int64_t bytes_of(const AttentionRow& row) { return row.bytes() + std::int64_t(sizeof(AttentionRow)); }

}  // namespace

void AttentionStore::add(const AttentionRows& rows) {
  if (rows.empty()) return;
  for (const RowPtr& row : rows) {
    if (row->layer != layer_) continue;
    pool(*row);
    if (whole_.empty()) whole_from_ = row->query;
    bytes_ += bytes_of(*row);
    whole_.push_back(row);
    shrink();
  }
  published_.reset();
}

/// After every row, so that a prefill ends with the rows that a decode would have.
void AttentionStore::shrink() {
  while (bytes_ > limit_ && whole_.size() > 1) thin_oldest();
  while (bytes_ > limit_ && !thinned_.empty()) {  // rows so large that few fit
    bytes_ -= bytes_of(*thinned_.front());
    thinned_bytes_ -= bytes_of(*thinned_.front());
    thinned_.erase(thinned_.begin());
  }
}

void AttentionStore::thin_oldest() {
  if (stride_ == 1) stride_ = 2;
  const RowPtr row = std::move(whole_.front());
  whole_.pop_front();
  whole_from_ = whole_.front()->query;
  if (row->query % stride_ != 0) {
    bytes_ -= bytes_of(*row);
    return;
  }
  thinned_bytes_ += bytes_of(*row);
  thinned_.push_back(row);
  while (thinned_bytes_ > limit_ / 2 && thinned_.size() > 1) coarsen();
}

void AttentionStore::coarsen() {
  stride_ *= 2;
  std::erase_if(thinned_, [this](const RowPtr& row) {
    if (row->query % stride_ == 0) return false;
    bytes_ -= bytes_of(*row);
    thinned_bytes_ -= bytes_of(*row);
    return true;
  });
}

void AttentionStore::pool(const AttentionRow& row) {
  if (!maps_) maps_.emplace(row.heads, kThumbnail, value_);
  maps_->add(row);
}

void AttentionStore::set_value(MapValue value) {
  if (value == value_) return;
  value_ = value;
  maps_.reset();
  for (const RowPtr& row : thinned_) pool(*row);
  for (const RowPtr& row : whole_) pool(*row);
  published_.reset();
}

AttentionHistory AttentionStore::history() {
  if (published_) return *published_;
  AttentionHistory history;
  history.layer = layer_;
  history.whole_from = whole_from_;
  history.stride = stride_;
  history.bytes = bytes_;
  history.limit_bytes = limit_;
  auto rows = std::make_shared<std::vector<RowPtr>>(thinned_);
  rows->insert(rows->end(), whole_.begin(), whole_.end());
  history.first = rows->empty() ? 0 : rows->front()->query;
  history.rows = std::move(rows);
  if (maps_) history.thumbnails = std::make_shared<const PooledMaps>(*maps_);
  published_ = history;
  return history;
}

std::int64_t AttentionStore::thumbnail_bytes() const {
  if (!maps_) return 0;
  const std::int64_t each = std::int64_t(sizeof(float)) * maps_->heads() * kThumbnail * kThumbnail;
  return published_ ? 2 * each : each;
}

}  // namespace mla::ui
