#include "ui/views/map_viewport.h"

#include <algorithm>

namespace mla::ui {
namespace {

constexpr double smallest = 4;  // tokens in sight at the largest zoom

double inside(double from, double length, double low, double high) {
  return std::clamp(from, low, std::max(low, high - length));
}

}  // namespace

void MapViewport::setExtent(int firstQuery, int end) {
  const QRectF extent(0, firstQuery, std::max(end, 1), std::max(end - firstQuery, 1));
  const bool restarted = extent.bottom() < extent_.bottom();
  extent_ = extent;
  if (fitted_ || restarted) return reset();
  setWindow(window_);
  if (follows_) moveToEnd();
}

void MapViewport::setWindow(QRectF window) {
  const double width = std::clamp(window.width(), std::min(smallest, extent_.width()), extent_.width());
  const double height = std::clamp(window.height(), std::min(smallest, extent_.height()), extent_.height());
  window_ = QRectF(inside(window.x(), width, extent_.left(), extent_.right()),
                   inside(window.y(), height, extent_.top(), extent_.bottom()), width, height);
}

void MapViewport::zoom(double factor, QPointF anchor) {
  const auto scaled = [&](double from, double at) { return at - (at - from) / factor; };
  setWindow({scaled(window_.x(), anchor.x()), scaled(window_.y(), anchor.y()), window_.width() / factor,
             window_.height() / factor});
  fitted_ = window_ == extent_;
  follows_ = fitted_;
}

void MapViewport::pan(QPointF tokens) {
  setWindow(window_.translated(tokens));
  if (!fitted_) follows_ = false;
}

void MapViewport::reveal(int query, int key) {
  const auto shift = [](double at, double from, double to) { return at < from ? at - from : std::max(0.0, at + 1 - to); };
  const QPointF by(shift(key, window_.left(), window_.right()), shift(query, window_.top(), window_.bottom()));
  if (!by.isNull()) pan(by);
}

void MapViewport::reset() {
  window_ = extent_;
  fitted_ = follows_ = true;
}

void MapViewport::setFollows(bool on) {
  follows_ = on;
  if (on) moveToEnd();
}

void MapViewport::moveToEnd() { window_.moveBottomRight(extent_.bottomRight()); }

int poolLevel(double tokens, double pixels) {
  int level = 0;
  while (tokens > pixels * double(1 << level) && level < 30) ++level;
  return level;
}

}  // namespace mla::ui
