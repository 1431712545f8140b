#pragma once

#include <QStringList>
#include <memory>

#include "ui/views/view.h"

namespace mla::ui {

/// The views that can be made, as `mla-explorer views` lists them, alphabetically. The whole window is not among them.
QStringList viewNames();

/// A view of that name without a parent, or null where viewNames() does not have it.
std::unique_ptr<View> makeView(const QString& name);

}  // namespace mla::ui
