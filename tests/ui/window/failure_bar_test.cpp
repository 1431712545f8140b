#include "ui/window/failure_bar.h"

#include <QImage>
#include <QLabel>
#include <QPushButton>

#include "tests/ui/session/session_fixture.h"
#include "ui/theme/theme.h"
#include "ui/window/main_window.h"

namespace mla::ui {
namespace {

/// Runs as the CPU does, and fails after so many passes.
class FailingExecutor : public Executor {
 public:
  FailingExecutor(std::unique_ptr<Executor> real, int passes) : real_(std::move(real)), left_(passes) {}
  Result<ForwardOutput> forward(const ForwardInput& input) override {
    if (left_-- <= 0) return Error{"backend cuda: the GPU no longer answers"};
    return real_->forward(input);
  }
  Status fill_synthetic(int count, std::uint64_t seed) override { return real_->fill_synthetic(count, seed); }
  void reset() override { real_->reset(); }
  int positions() const override { return real_->positions(); }
  std::vector<float> cache_rows(int layer) const override { return real_->cache_rows(layer); }
  void keep_latents(bool keep) override { real_->keep_latents(keep); }

 private:
  std::unique_ptr<Executor> real_;
  int left_;
};

class FailingBackend : public ComputeBackend {
 public:
  BackendInfo probe() const override { return {"cuda", !lost_, lost_ ? "the GPU no longer answers" : "a GPU"}; }
  Result<std::unique_ptr<Executor>> create(const Experiment& experiment,
                                           std::shared_ptr<const ModelWeights> weights) override {
    auto real = cpu_->create(experiment, std::move(weights));
    if (!real) return real.error();
    lost_ = true;  // what the next probe finds
    return std::unique_ptr<Executor>(std::make_unique<FailingExecutor>(std::move(*real), 6));
  }
  Ceilings measure_ceilings(int, std::stop_token) override { return {}; }

 private:
  std::unique_ptr<ComputeBackend> cpu_ = make_cpu_backend();
  bool lost_ = false;
};

std::vector<std::unique_ptr<ComputeBackend>> two_backends() {
  auto backends = cpu_backends();
  backends.push_back(std::make_unique<FailingBackend>());
  return backends;
}

TEST(FailureBar, OffersTheCpuWhereADeviceFailedAndGoesOnWithTheTokensSoFar) {
  Session session(two_backends());
  MainWindow window(session, {});
  window.show();
  auto* bar = window.findChild<FailureBar*>();
  ASSERT_TRUE(bar);
  EXPECT_TRUE(bar->isHidden());

  Experiment experiment = tiny_experiment();
  experiment.backend = "cuda";
  session.setExperiment(experiment);
  session.setSpeed(200);
  session.play();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->state == Snapshot::State::failed; }));
  ASSERT_TRUE(wait_for([&] { return bar->isVisible(); }));
  EXPECT_TRUE(bar->findChild<QLabel*>()->text().contains(QStringLiteral("no longer answers")));
  const auto lost = [&] { return session.snapshot()->backends.size() == 2 && !session.snapshot()->backends[1].available; };
  EXPECT_TRUE(wait_for(lost));
  const int seen = token_count(session);
  EXPECT_GT(seen, 0);

  auto* button = bar->findChild<QPushButton*>();
  EXPECT_FALSE(button->toolTip().isEmpty());
  EXPECT_FALSE(button->accessibleName().isEmpty());
  QTest::mouseClick(button, Qt::LeftButton);
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->experiment.backend == "cpu" && step_count(session) >= 3; }));
  EXPECT_TRUE(wait_for([&] { return bar->isHidden(); }));
  EXPECT_GE(token_count(session), seen);
  EXPECT_EQ(session.experiment().backend, "cpu");
}

TEST(FailureBar, OffersTheCpuWhereTheFirstRunCannotStart) {
  Session session(cpu_backends());
  MainWindow window(session, {});
  window.show();
  Experiment experiment = tiny_experiment();
  experiment.backend = "cuda";  // which this program has not
  session.setExperiment(experiment);
  auto* bar = window.findChild<FailureBar*>();
  ASSERT_TRUE(wait_for([&] { return bar->isVisible(); }));
  QLabel* refusal = nullptr;
  for (QLabel* label : window.findChildren<QLabel*>())
    if (label->accessibleName() == QStringLiteral("Why the settings were refused")) refusal = label;
  ASSERT_TRUE(refusal);
  EXPECT_TRUE(wait_for([&] { return refusal->text().contains(QStringLiteral("cuda")); }));
  QTest::mouseClick(bar->findChild<QPushButton*>(), Qt::LeftButton);
  EXPECT_TRUE(wait_for([&] { return session.snapshot()->run > 0 && bar->isHidden(); }));
  EXPECT_TRUE(refusal->text().isEmpty());
}

TEST(FailureBar, StandsOutFromTheWindowInBothThemes) {
  FailureBar bar;
  Snapshot snapshot;
  snapshot.state = Snapshot::State::failed;
  snapshot.error = QStringLiteral("backend cuda: the GPU no longer answers");
  bar.setSnapshot(snapshot, "cuda");
  bar.resize(600, 40);
  for (const QPalette& palette : {lightPalette(), darkPalette()}) {
    bar.setPalette(palette);
    const QImage image = bar.grab().toImage();
    const QColor tint = image.pixelColor(300, 1), edge = image.pixelColor(1, 20);
    EXPECT_EQ(tint.rgb(), warningTint(palette).rgb());
    EXPECT_GE(contrastRatio(edge, palette.color(QPalette::Window)), 3);
    EXPECT_GE(contrastRatio(bar.findChild<QLabel*>()->palette().color(QPalette::WindowText), tint), 7);
    // Apart by more than lightness, and along blue to yellow, which the common colour blindnesses see.
    const QColor window = palette.color(QPalette::Window);
    EXPECT_GE(tint.red() - tint.blue(), window.red() - window.blue() + 40);
  }
}

TEST(FailureBar, SaysNothingOfARunOnTheCpu) {
  FailureBar bar;
  Snapshot snapshot;
  snapshot.state = Snapshot::State::failed;
  snapshot.error = QStringLiteral("out of memory");
  bar.setSnapshot(snapshot, "cpu");
  EXPECT_TRUE(bar.isHidden());
  bar.setSnapshot(snapshot, "cuda");
  EXPECT_FALSE(bar.isHidden());
}

}  // namespace
}  // namespace mla::ui
