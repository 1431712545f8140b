#include <gtest/gtest.h>

#include <QApplication>
#include <memory>

#include "ui/theme/theme.h"

namespace {

/// The tests' QApplication, without a display unless the environment names one. Made here and not in main(), so that listing
/// the tests needs none.
class Application : public testing::Environment {
 public:
  void SetUp() override {
    if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    qunsetenv("QT_SCALE_FACTOR");
    application_ = std::make_unique<QApplication>(argc_, argv_);
    mla::ui::applyTheme(*application_, mla::ui::ThemeChoice::light);
  }
  void TearDown() override { application_.reset(); }

 private:
  int argc_ = 1;
  char name_[9] = "ui_tests";
  char* argv_[2] = {name_, nullptr};
  std::unique_ptr<QApplication> application_;
};

}  // namespace

#ifdef __SANITIZE_THREAD__
// Qt guards its event queues with a mutex of its own, which the thread sanitizer can't see in a library built without it: it
// takes a posted event that one thread makes and another deletes for a race. Only Qt's own calls are left out by this.
extern "C" const char* __tsan_default_suppressions() { return "called_from_lib:libQt6Core.so\n"; }
#endif

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  testing::AddGlobalTestEnvironment(new Application);
  return RUN_ALL_TESTS();
}
