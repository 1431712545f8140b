#pragma once

#include <QString>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// The status line: bytes of the cache, bytes and milliseconds per token, what the weights are worth, pinned runs.
QString status_text(const Snapshot& snapshot);

/// How far the cache's precision moves attention and outputs, measured; empty for fp32.
QString precision_text(const Snapshot& snapshot);
/// How much memory the history takes and may take, and how much a token; empty without a run.
QString history_text(const Snapshot& snapshot);
/// What that consists of, and what was thinned out to stay within its bounds.
QString history_details(const Snapshot& snapshot);

/// What a picture of this run may claim: that random weights make its attention meaningless, and how many layers of how many
/// run. Empty where there is nothing to say.
QString honesty_text(const Snapshot& snapshot);

}  // namespace mla::ui
