#include "ui/charts/running_median.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/ui/charts/sample_snapshot.h"
#include "ui/charts/step_curve.h"

namespace mla::ui {
namespace {

double medianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

TEST(RunningMedian, EqualsTheMedianOfTheLastValues) {
  std::mt19937 random(7);
  RunningMedian median(32);
  std::vector<double> values;
  for (int i = 0; i < 300; ++i) {
    values.push_back(double(random() % 50));  // many equal ones
    const auto first = values.end() - std::min<std::ptrdiff_t>(32, std::ptrdiff_t(values.size()));
    ASSERT_EQ(median.add(values.back()), medianOf({first, values.end()})) << i;
  }
}

TEST(StepCurve, FollowsAGrowingRunAndStartsAnewWithAnother) {
  const Experiment e;
  const auto all = sample::steps(e, 100);
  StepCurve grown([](const Step& step) { return step.ms; });
  for (const std::size_t count : {1, 40, 100}) grown.follow(1, {all->begin(), all->begin() + count});
  StepCurve at_once([](const Step& step) { return step.ms; });
  at_once.follow(5, *all);
  EXPECT_EQ(grown.raw(), at_once.raw());
  EXPECT_EQ(grown.median(), at_once.median());

  const auto other = sample::steps(e, 100, 50);
  grown.follow(2, *other);
  EXPECT_EQ(grown.raw().front(), QPointF(51, 40));
  EXPECT_EQ(grown.raw().size(), 100);
  grown.follow(2, {other->begin(), other->begin() + 3});
  EXPECT_EQ(grown.raw().size(), 3);
}

TEST(PinnedCurves, BelongToTheirRuns) {
  const Experiment e;
  PinnedCurves curves([](const Step& step) { return step.ms; });
  PinnedRun a{e, "a", sample::steps(e, 5)}, b{e, "b", sample::steps(e, 9, 100)}, none{e, "c", nullptr};
  const auto both = curves.of({a, b, none});
  EXPECT_EQ(both[0]->raw().size(), 5);
  EXPECT_EQ(both[1]->raw().back().x(), 109);
  EXPECT_TRUE(both[2]->raw().isEmpty());
  const auto left = curves.of({b});
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0]->raw().size(), 9);
}

}  // namespace
}  // namespace mla::ui
