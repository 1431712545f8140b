#pragma once

#include <QWidget>

namespace mla::ui {

/// Opens the list of every shortcut of the window's menus, and of the keys that the panes themselves know.
void show_shortcuts(QWidget* window);

/// Opens what the program is, its versions, what is measured and what is computed by formula.
void show_about(QWidget* window);

}  // namespace mla::ui
