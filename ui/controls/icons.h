#pragma once

#include <QIcon>
#include <QPalette>
#include <QString>

namespace mla::ui {

/// The icon resources/icons/<name>.svg in the palette's text colour, paler where disabled.
QIcon themed_icon(const QString& name, const QPalette& palette);

}  // namespace mla::ui
