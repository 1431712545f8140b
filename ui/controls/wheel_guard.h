#pragma once

#include <QWidget>

namespace mla::ui {

/// Lets the wheel change a control only once it has the focus: whoever scrolls past it with the pointer changes nothing.
void guard_wheel(QWidget* control);

}  // namespace mla::ui
