#pragma once

namespace mla::ui {

/// Lets the calling thread, and those it will start, give way to the window's: at full speed they would otherwise take every
/// core, and a repaint would wait for its turn. Linux keeps this per thread; elsewhere it would slow the window, so nothing
/// happens.
void give_way(int niceness);

}  // namespace mla::ui
