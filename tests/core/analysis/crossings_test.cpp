#include "core/analysis/crossings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace mla {
namespace {

constexpr CourseWords kWords{"Absorbed decode", "expanded", "cached tokens", 1.02};

/// Times at 64, 128, 256 … of which the first takes `ratio` times the second's.
std::vector<PairPoint> points_with(const std::vector<double>& ratios) {
  std::vector<PairPoint> points;
  double x = 64;
  for (const double ratio : ratios) {
    points.push_back({x, 3 * ratio * x, 3 * x});
    x *= 2;
  }
  return points;
}

TEST(Crossings, LieWhereStraightLinesInLogarithmsMeet) {
  const std::vector<PairPoint> points{
      {64, 64 * 64, 1024 * 64}, {256, 256 * 256, 1024 * 256}, {4096, 4096. * 4096, 1024 * 4096}};
  const Course course = course_of(points, 1);
  ASSERT_EQ(course.crossings.size(), 1u);
  EXPECT_NEAR(course.crossings[0], 1024, 1e-6);
  EXPECT_EQ(course.start, Lead::first);
  EXPECT_EQ(course.end, Lead::second);
  EXPECT_EQ(course.from, 64);
  EXPECT_EQ(course.to, 4096);
}

TEST(Crossings, ThereAreNoneWhereOneLeadsThroughout) {
  for (const double ratio : {0.5, 2.0}) {
    const Course course = course_of(points_with({ratio, ratio, ratio}), 1.02);
    EXPECT_TRUE(course.crossings.empty());
    EXPECT_EQ(course.start, ratio < 1 ? Lead::first : Lead::second);
    EXPECT_EQ(course.end, course.start);
  }
}

TEST(Crossings, ATieChangesNothing) {
  EXPECT_TRUE(course_of(points_with({0.5, 1.01, 1.0, 0.99, 0.6}), 1.02).crossings.empty());
  const Course through = course_of(points_with({0.5, 1.0, 2}), 1.02);
  ASSERT_EQ(through.crossings.size(), 1u);
  EXPECT_NEAR(through.crossings[0], 128, 1e-9) << "half way in logarithms";
  const Course at_first = course_of(points_with({1.0, 0.5}), 1.02);
  EXPECT_TRUE(at_first.crossings.empty());
  EXPECT_EQ(at_first.start, Lead::first);
  const Course always = course_of(points_with({1.0, 1.01, 0.99}), 1.02);
  EXPECT_TRUE(always.crossings.empty());
  EXPECT_EQ(always.start, Lead::equal);
  EXPECT_EQ(always.end, Lead::equal);
  EXPECT_EQ(course_of(points_with({1.0, 1.0}), 1).start, Lead::equal);
}

TEST(Crossings, EveryChangeOfTheOrderCounts) {
  const Course course = course_of(points_with({0.5, 2, 0.5, 2}), 1.02);
  EXPECT_EQ(course.crossings.size(), 3u);
  EXPECT_TRUE(std::is_sorted(course.crossings.begin(), course.crossings.end()));
}

TEST(Crossings, OnePointHasALeadAndNoCrossing) {
  const Course course = course_of(points_with({0.5}), 1.02);
  EXPECT_TRUE(course.crossings.empty());
  EXPECT_EQ(course.start, Lead::first);
  EXPECT_EQ(describe_courses(course, course, kWords),
            "Absorbed decode is faster than expanded at 64 cached tokens (measured); the model says so too.");
  EXPECT_FALSE(course_of({}, 1.02).known());
  EXPECT_EQ(describe_courses({}, {}, kWords), "");
}

Course crossing_at(double x, Lead end) { return {end == Lead::first ? Lead::second : Lead::first, end, {x}, 64, 4096}; }

TEST(Crossings, ASentenceSaysFromWhereOnItPays) {
  EXPECT_EQ(describe_courses(crossing_at(1237.4, Lead::first), crossing_at(900, Lead::first), kWords),
            "Absorbed decode is faster than expanded from 1,240 cached tokens on (measured); the model says from 900 on.");
  EXPECT_EQ(describe_courses(crossing_at(300, Lead::second), crossing_at(64.4, Lead::first), kWords),
            "Absorbed decode is faster than expanded up to 300 cached tokens (measured); the model says from 64 on.");
}

TEST(Crossings, ASentenceSaysThatThereIsNoneAndWhoLeads) {
  const Course faster{Lead::first, Lead::first, {}, 64, 4096, 64, 4096},
      slower{Lead::second, Lead::second, {}, 64, 4096, 64, 4096}, equal{Lead::equal, Lead::equal, {}, 64, 4096};
  EXPECT_EQ(
      describe_courses(slower, crossing_at(900, Lead::first), kWords),
      "Absorbed decode is slower than expanded throughout, from 64 to 4,096 cached tokens (measured); the model says faster "
      "from 900 on.");
  EXPECT_NE(describe_courses(crossing_at(900, Lead::first), faster, kWords).find("; the model says faster throughout."),
            std::string::npos);
  EXPECT_NE(describe_courses(faster, faster, kWords).find("; the model says so too."), std::string::npos);
  EXPECT_EQ(describe_courses(equal, faster, kWords),
            "Absorbed decode takes as long as expanded, within 2 %, throughout, from 64 to 4,096 cached tokens (measured); "
            "the model "
            "says faster throughout.");
}

TEST(Crossings, ASentenceLeavesOutWhereTheTwoAreTooCloseToCall) {
  const Course course = course_of(points_with({1.01, 0.5, 0.5, 0.99}), 1.02);
  EXPECT_EQ(describe_courses(course, {}, kWords),
            "Absorbed decode is faster than expanded from 128 to 256 cached tokens (measured).");
  CourseWords brief = kWords;
  brief.brief = true;
  const Course all = course_of(points_with({0.5, 0.5}), 1.02);
  EXPECT_EQ(describe_courses(all, all, brief), "Absorbed decode is faster than expanded throughout; the model says so too.");
}

TEST(Crossings, ASentenceDoesNotHideThatTheOrderChangesOften) {
  const Course often{Lead::first, Lead::second, {100, 200, 412.3}, 64, 4096};
  EXPECT_EQ(
      describe_courses(often, often, kWords),
      "Absorbed decode is slower than expanded beyond 412 cached tokens, below that the order changes 3 times, last at "
      "412 (measured); in the model the order changes 3 times, last at 412.");
}

}  // namespace
}  // namespace mla
