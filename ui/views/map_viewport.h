#pragma once

#include <QPointF>
#include <QRectF>

namespace mla::ui {

/// Which tokens a map shows: x are keys, y are queries, in tokens, fractions included. Shows everything until it is zoomed.
class MapViewport {
 public:
  /// The recorded queries are [firstQuery, end), the keys [0, end). A fitted view grows along; one that follows moves along.
  void setExtent(int firstQuery, int end);
  QRectF extent() const { return extent_; }
  QRectF window() const { return window_; }

  /// Shows `factor` times fewer tokens each way, `anchor` (in tokens) staying where it is.
  void zoom(double factor, QPointF anchor);
  /// Moves by tokens; stays inside the extent.
  void pan(QPointF tokens);
  /// Moves as little as brings that cell into the window.
  void reveal(int query, int key);
  void reset();
  bool fitted() const { return fitted_; }
  bool follows() const { return follows_; }
  void setFollows(bool on);

 private:
  void setWindow(QRectF window);
  void moveToEnd();
  QRectF extent_{0, 0, 1, 1}, window_{0, 0, 1, 1};
  bool fitted_ = true, follows_ = true;
};

/// Smallest level at which a block of 2^level tokens is at least one of `pixels` wide, where `tokens` share them: no block
/// then falls between two pixels.
int poolLevel(double tokens, double pixels);

}  // namespace mla::ui
