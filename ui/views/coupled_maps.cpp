#include "ui/views/coupled_maps.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

#include "ui/theme/theme.h"
#include "ui/views/map_legend.h"
#include "ui/views/triangle_map.h"

namespace mla::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(mla::ui::Coupled)
};

constexpr double kMargin = 8;

/// Where everything lies in a painting of one size.
struct Layout {
  QRectF headline, caption, legend;
  std::array<QRectF, 3> titles, maps;
};

Layout layoutFor(const QSizeF& size, const QFontMetricsF& metrics) {
  Layout out;
  const double line = metrics.lineSpacing(), width = std::max(1.0, size.width() - 2 * kMargin);
  out.headline = QRectF(kMargin, kMargin, width, line);
  double bottom = size.height() - kMargin;
  if (size.height() > 14 * line) {
    out.caption = QRectF(kMargin, bottom - 2 * line, width, 2 * line);
    bottom = out.caption.top() - kMargin;
  }
  if (size.height() > 10 * line) {
    const double legend = legendHeight(metrics, width, {});
    out.legend = QRectF(kMargin, bottom - legend, std::min(width, 30 * line), legend);
    bottom = out.legend.top() - kMargin;
  }
  const double top = out.headline.bottom() + kMargin / 2 + line, each = (width - 2 * kMargin) / 3;
  const double side = std::max(1.0, std::min(each, bottom - top - line));
  for (int i = 0; i < 3; ++i) {
    const double left = kMargin + i * (each + kMargin);
    out.titles[i] = QRectF(left, top - line, each, line);
    out.maps[i] = QRectF(left, top, side, side);
  }
  // In a wide picture the maps end early: what belongs to them follows at once.
  double next = top + side + line + kMargin;
  if (!out.legend.isEmpty()) {
    out.legend.moveTop(std::min(out.legend.top(), next));
    next = out.legend.bottom() + kMargin;
  }
  if (!out.caption.isEmpty()) out.caption.moveTop(std::min(out.caption.top(), next));
  return out;
}

double scoreOf(const ScoreForms& forms, int map, std::size_t at) {
  if (map == 0) return forms.expanded[at];
  if (map == 1) return forms.absorbed[at];
  return double(forms.expanded[at]) - forms.absorbed[at];
}

QStringList titlesOf(bool coupled) {
  if (coupled)
    return {Text::tr("expanded: (Rᵢq)·(Rⱼ W_UK cⱼ)"), Text::tr("absorbed: (Rᵢq W_UK)·cⱼ"), Text::tr("difference")};
  return {Text::tr("expanded: q·(W_UK cⱼ)"), Text::tr("absorbed: (q W_UK)·cⱼ"), Text::tr("difference")};
}

QString captionOf(bool coupled) {
  if (coupled)
    return Text::tr(
        "RoPE turns each up-projected key by its own position j. A query folded with W_UK once for all keys cannot "
        "know j: the rotation stands between the query and W_UK. So the two forms part.");
  return Text::tr(
      "RoPE has a key of its own beside the latent, so nothing stands between the query and W_UK: it can be folded "
      "into the query, and both forms are the same sum in another order.");
}

}  // namespace

const ScoreForms* CoupledScene::forms() const {
  if (!rope || rope->heads.empty()) return nullptr;
  const CoupledHead& shown = rope->heads[std::size_t(std::clamp(head, 0, int(rope->heads.size()) - 1))];
  return coupled ? &shown.coupled : &shown.decoupled;
}

QString coupledHeadline(const CoupledScene& scene) {
  const ScoreForms* forms = scene.forms();
  if (!forms) return {};
  const QString where = Text::tr("layer %1, head h%2").arg(scene.rope->layer + 1).arg(scene.head);
  const QString difference =
      Text::tr("largest difference %1, mean %2; of a weight %3")
          .arg(fourDigits(forms->largest), fourDigits(forms->mean), fourDigits(forms->largest_weight));
  return (scene.coupled ? Text::tr("%1, RoPE coupled: %2") : Text::tr("%1, as it is: %2")).arg(where, difference);
}

ColorScale coupledScale(const ScoreForms& forms) {
  double largest = forms.largest;
  for (const auto* map : {&forms.expanded, &forms.absorbed})
    for (const float score : *map) largest = std::max(largest, std::abs(double(score)));
  return ColorScale::forScores(largest);
}

void paintCoupled(QPainter& painter, const QSizeF& size, const QPalette& palette, const CoupledScene& scene) {
  const MapColors colors = MapColors::from(palette);
  const QFontMetricsF metrics(painter.font());
  const Layout layout = layoutFor(size, metrics);
  painter.fillRect(QRectF(QPointF(0, 0), size), colors.background);
  const ScoreForms* forms = scene.forms();
  if (!forms) {
    paintMessage(painter, QRectF(QPointF(0, 0), size).adjusted(20, 20, -20, -20), scene.message, colors);
    return;
  }
  const QFont normal = painter.font();
  painter.setFont(strongFont(normal));
  painter.setPen(colors.text);
  painter.drawText(
      layout.headline.topLeft() + QPointF(0, metrics.ascent()),
      QFontMetricsF(painter.font()).elidedText(coupledHeadline(scene), Qt::ElideRight, layout.headline.width()));
  painter.setFont(normal);
  const ColorScale scale = coupledScale(*forms);
  const QStringList titles = titlesOf(scene.coupled);
  for (int i = 0; i < 3; ++i) {
    painter.setPen(colors.text);
    painter.drawText(layout.titles[i], Qt::AlignLeft | Qt::AlignVCenter,
                     metrics.elidedText(titles[i], Qt::ElideRight, layout.titles[i].width()));
    const int tokens = scene.rope->tokens;
    const QImage image = triangleImage(tokens, 0, scale, colors, [&](int query, int key) {
      return scoreOf(*forms, i, std::size_t(query) * std::size_t(tokens) + std::size_t(key));
    });
    paintTriangle(painter, layout.maps[i], image, tokens, 0, colors);
  }
  if (!layout.legend.isEmpty())
    paintLegend(painter, layout.legend, Text::tr("scaled score, all three maps"), scale, {}, colors);
  painter.setPen(colors.faint);
  painter.drawText(layout.caption, Qt::AlignLeft | Qt::TextWordWrap, captionOf(scene.coupled));
}

std::optional<CoupledCell> coupledCellAt(const QPointF& point, const QSizeF& size, const QFont& font,
                                         const CoupledScene& scene) {
  if (!scene.forms()) return {};
  const Layout layout = layoutFor(size, QFontMetricsF(font));
  for (int i = 0; i < 3; ++i) {
    if (const auto cell = triangleCellAt(point, layout.maps[i], scene.rope->tokens))
      return CoupledCell{i, cell->query, cell->key};
  }
  return {};
}

}  // namespace mla::ui
