#pragma once

#include <QString>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// The scores of a head in the recorded layer; null while it is not scored.
const HeadScore* headScore(const Snapshot& snapshot, int head);

/// What a thumbnail's label says of the head's kinds, e.g. "sink, induction"; empty where it is of none.
QString kindsLabel(const HeadScore& score);

/// A line for every score that is known: its name, the score, what it means, and from when on it makes a label.
QString kindsText(const HeadScore& score);

}  // namespace mla::ui
