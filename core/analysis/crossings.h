#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mla {

/// Two ways to do the same at one size (tokens, sequences), in milliseconds.
struct PairPoint {
  double x = 0;
  double first_ms = 0, second_ms = 0;
};

/// Which of two takes less time.
enum class Lead { first, equal, second };

/// Who leads where, by ascending x.
struct Course {
  Lead start = Lead::equal, end = Lead::equal;  ///< where the points begin and end; equal: nowhere clearly apart
  std::vector<double> crossings;                ///< the x at which the order changes
  double from = 0, to = 0;                      ///< the first and last x
  double clear_from = 0, clear_to = 0;          ///< of those that are clearly apart
  bool known() const { return to > 0; }
};

/// Follows two times over x > 0 (ascending). Between two points the order changes where straight lines through them in
/// logarithms of both meet. Times within `tie` of each other (a ratio, at least 1) are a tie, which does not change the
/// order: noise is no crossing, and one is looked for between the points on either side that are clearly apart.
Course course_of(std::span<const PairPoint> points, double tie);

/// What a sentence about a course calls things.
struct CourseWords {
  std::string_view first;   ///< as a sentence begins, e.g. "Absorbed decode"
  std::string_view second;  ///< e.g. "expanded"
  std::string_view unit;    ///< of x, e.g. "cached tokens"
  double tie = 1;           ///< of the measured course
  bool brief = false;       ///< the range was said before
};

/// "Absorbed decode is faster than expanded from 1,240 cached tokens on (measured); the model says from 900 on." Empty where
/// nothing was measured.
std::string describe_courses(const Course& measured, const Course& modelled, const CourseWords& words);

/// "1,240": a crossing to three digits, since it lies somewhere between two measured points.
std::string format_crossing(double x);

}  // namespace mla
