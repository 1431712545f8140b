#pragma once

#include <QString>

namespace mla::ui::keys {

/// Under which names the window's settings file keeps things.
inline const QString geometry = QStringLiteral("window/geometry");
inline const QString layout = QStringLiteral("window/layout");
inline const QString theme = QStringLiteral("window/theme");
inline const QString font = QStringLiteral("window/font");

}  // namespace mla::ui::keys
