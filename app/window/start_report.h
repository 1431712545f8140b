#pragma once

namespace mla::ui {
class MainWindow;
class Session;
}  // namespace mla::ui

namespace mla {

/// For measurements from outside: where the environment has MLA_REPORT_START, one line on standard output says that the
/// first decoded token is painted, and the program ends.
void report_start(const ui::Session& session, const ui::MainWindow& window);

}  // namespace mla
