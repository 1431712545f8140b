#include "core/analysis/crossings.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <optional>

#include "core/spec/format.h"

namespace mla {
namespace {

/// A point in logarithms: where it lies, and by how much the first is slower there.
struct Apart {
  double x = 0, by = 0;
};

std::string join(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

double meeting(const Apart& a, const Apart& b) { return std::exp(a.x + (b.x - a.x) * a.by / (a.by - b.by)); }

/// "throughout, from 64 to 4,096 cached tokens"; where the two are close at an end, from where to where they are not.
std::string range_of(const Course& course, const CourseWords& words) {
  const bool apart = course.start != Lead::equal,
             all = !apart || (course.from == course.clear_from && course.to == course.clear_to);
  const double low = apart ? course.clear_from : course.from, high = apart ? course.clear_to : course.to;
  const std::string from = format_count(std::llround(low)), to = format_count(std::llround(high));
  if (low == high) return join({"at ", to, " ", words.unit});
  if (all && words.brief) return "throughout";
  return join({all ? "throughout, " : "", "from ", from, " to ", to, " ", words.unit});
}

/// As seen from the first.
std::string_view comparative(Lead lead) { return lead == Lead::first ? "faster" : "slower"; }

/// "from 900 on", "up to 900", with the unit where one is given.
std::string since(const Course& course, std::string_view unit) {
  const bool on = course.end == Lead::first;
  return join(
      {on ? "from " : "up to ", format_crossing(course.crossings.back()), unit.empty() ? "" : " ", unit, on ? " on" : ""});
}

std::string changes(const Course& course) {
  return join(
      {"changes ", std::to_string(course.crossings.size()), " times, last at ", format_crossing(course.crossings.back())});
}

std::string measured_part(const Course& course, const CourseWords& words) {
  if (course.crossings.size() > 1)
    return join({words.first, " is ", comparative(course.end), " than ", words.second, " beyond ",
                 format_crossing(course.crossings.back()), " ", words.unit, ", below that the order ", changes(course)});
  if (course.crossings.size() == 1)
    return join({words.first, " is faster than ", words.second, " ", since(course, words.unit)});
  const std::string range = range_of(course, words);
  if (course.start != Lead::equal)
    return join({words.first, " is ", comparative(course.start), " than ", words.second, " ", range});
  const long percent = std::lround(100 * (words.tie - 1));
  const std::string within = percent > 0 ? join({", within ", std::to_string(percent), " %,"}) : std::string();
  return join({words.first, " takes as long as ", words.second, within, " ", range});
}

/// What the model says, in as few words as the measured part allows.
std::string modelled_part(const Course& measured, const Course& modelled) {
  if (modelled.crossings.size() > 1) return join({"in the model the order ", changes(modelled)});
  if (modelled.crossings.size() == 1)
    return join({"the model says ", measured.crossings.size() == 1 ? "" : "faster ", since(modelled, {})});
  if (measured.crossings.empty() && measured.start == modelled.start) return "the model says so too";
  if (modelled.start == Lead::equal) return "the model says they take equally long";
  return join({"the model says ", comparative(modelled.start), " throughout"});
}

}  // namespace

Course course_of(std::span<const PairPoint> points, double tie) {
  Course course;
  if (points.empty()) return course;
  course.from = points.front().x;
  course.to = points.back().x;
  std::optional<Apart> clear;  // the last point where the two were apart
  for (const PairPoint& point : points) {
    const Apart here{std::log(point.x), std::log(point.first_ms / point.second_ms)};
    if (!(std::abs(here.by) > std::log(tie))) continue;
    course.end = here.by < 0 ? Lead::first : Lead::second;
    if (!clear) course.start = course.end, course.clear_from = point.x;
    course.clear_to = point.x;
    if (clear && clear->by * here.by < 0) course.crossings.push_back(meeting(*clear, here));
    clear = here;
  }
  return course;
}

std::string describe_courses(const Course& measured, const Course& modelled, const CourseWords& words) {
  if (!measured.known()) return {};
  const std::string model = modelled.known() ? modelled_part(measured, modelled) : std::string();
  return join({measured_part(measured, words), words.brief ? "" : " (measured)", model.empty() ? "" : "; ", model, "."});
}

std::string format_crossing(double x) {
  const double unit = std::pow(10, std::max(0.0, std::floor(std::log10(std::max(x, 1.0))) - 2));
  return format_count(std::int64_t(std::llround(x / unit) * std::llround(unit)));
}

}  // namespace mla
