#include "ui/views/compare_scene.h"

#include <QCoreApplication>

#include "core/io/csv.h"
#include "core/spec/format.h"

namespace mla::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(mla::ui::Compare)
};

QString none() { return QStringLiteral("–"); }

QString bytesText(double value) { return QString::fromStdString(format_bytes(std::int64_t(value))); }
QString msText(double value) { return QString::fromStdString(format_ms(value)); }
QString plainText(double value) { return fourDigits(value); }

QString signedText(const CompareQuantity& quantity) {
  const double value = *quantity.difference;
  const QString sign = !quantity.first || value == 0 ? QString() : value < 0 ? QStringLiteral("−") : QStringLiteral("+");
  return sign + quantity.text(std::abs(value));
}

CompareQuantity quantity(const char* column, const QString& label, std::optional<double> first, std::optional<double> second,
                         QString (*text)(double)) {
  CompareQuantity out{column, label, first, second, {}, text};
  if (first && second) out.difference = *second - *first;
  return out;
}

QString sideTitle(const QString& side, const ComparisonSide& shown) {
  return shown.name.empty() ? Text::tr("%1: the same settings").arg(side)
                            : QStringLiteral("%1: %2").arg(side, QString::fromStdString(shown.name));
}

/// The token's text as a label, with blanks made visible.
QString labelOf(const Comparison& comparison, int position) {
  QString text = QString::fromStdString(comparison.texts[std::size_t(position)]);
  if (text.trimmed().isEmpty()) text.replace(QLatin1Char(' '), QChar(0x2423));
  return text;
}

std::optional<double> at(const std::vector<float>* weights, int tokens, const TriangleCell& cell) {
  if (!weights) return {};
  return (*weights)[std::size_t(cell.query) * std::size_t(tokens) + std::size_t(cell.key)];
}

std::string numberOr(const std::optional<double>& value) { return value ? csv_number(*value) : std::string(); }

std::vector<std::string> csvRow(const CompareQuantity& q) {
  return {q.column, "", "", "", "", numberOr(q.first), numberOr(q.second), numberOr(q.difference), numberOr(q.ratio())};
}

std::vector<std::string> csvRow(const CompareScene& scene, const TriangleCell& cell) {
  const Comparison& c = *scene.comparison;
  const auto first = at(scene.weights(0), c.tokens(), cell), second = at(scene.weights(1), c.tokens(), cell);
  return {"weight",
          std::to_string(cell.query),
          std::to_string(cell.key),
          c.texts[std::size_t(cell.query)],
          c.texts[std::size_t(cell.key)],
          numberOr(first),
          numberOr(second),
          first && second ? csv_number(*second - *first) : std::string(),
          ""};
}

}  // namespace

const std::vector<float>* CompareScene::weights(int side) const {
  if (empty()) return nullptr;
  const ComparisonSide& shown = side == 0 ? comparison->first : comparison->second;
  return head >= 0 && head < shown.heads() ? &shown.weights[std::size_t(head)] : nullptr;
}

const HeadDifference* CompareScene::difference() const {
  if (empty() || head < 0 || head >= int(comparison->difference.size())) return nullptr;
  return &comparison->difference[std::size_t(head)];
}

ColorScale weightScale(const CompareScene& scene) {
  return ColorScale::forWeights(scene.log, scene.empty() ? 1 : scene.comparison->tokens());
}

ColorScale differenceScale(const CompareScene& scene) {
  return ColorScale::forScores(scene.difference() ? scene.difference()->largest : 0);
}

QString compareHeadline(const CompareScene& scene) {
  if (scene.empty()) return {};
  const QString where = Text::tr("Layer %1, head h%2, %3 tokens")
                            .arg(scene.comparison->layer + 1)
                            .arg(scene.head)
                            .arg(scene.comparison->tokens());
  const HeadDifference* apart = scene.difference();
  if (!apart) return Text::tr("%1 · only one of the two has it").arg(where);
  return Text::tr("%1 · largest difference %2 · mean %3 · total variation %4")
      .arg(where, fourDigits(apart->largest), fourDigits(apart->mean), fourDigits(apart->total_variation));
}

QStringList compareTitles(const CompareScene& scene) {
  if (scene.empty()) return {{}, {}, {}};
  return {sideTitle(Text::tr("first"), scene.comparison->first), sideTitle(Text::tr("second"), scene.comparison->second),
          Text::tr("second − first (difference)")};
}

QString compareReadout(const CompareScene& scene) {
  if (scene.empty()) return {};
  if (!scene.focus)
    return scene.interactive ? Text::tr("hover or arrows: the numbers of a cell, on all three maps") : QString();
  const TriangleCell& cell = *scene.focus;
  const int tokens = scene.comparison->tokens();
  const auto first = at(scene.weights(0), tokens, cell), second = at(scene.weights(1), tokens, cell);
  const QString difference = first && second ? fourDigits(*second - *first) : none();
  return Text::tr("query %1 “%2” · key %3 “%4” · first %5 · second %6 · difference %7")
      .arg(QString::number(cell.query), labelOf(*scene.comparison, cell.query), QString::number(cell.key),
           labelOf(*scene.comparison, cell.key), first ? fourDigits(*first) : none(), second ? fourDigits(*second) : none(),
           difference);
}

std::optional<double> CompareQuantity::ratio() const {
  return first && second && *first != 0 ? std::optional(*second / *first) : std::nullopt;
}

std::vector<CompareQuantity> compareQuantities(const Comparison& comparison) {
  const ComparisonSide &a = comparison.first, &b = comparison.second;
  std::vector<CompareQuantity> all = {
      quantity("cache_bytes", Text::tr("cache held"), double(a.cache_bytes), double(b.cache_bytes), bytesText),
      quantity("weight_bytes", Text::tr("weights"), double(a.weight_bytes), double(b.weight_bytes), bytesText),
      quantity("median_ms", Text::tr("time per token, measured"), a.median_ms, b.median_ms, msText),
      quantity("bits_per_byte", Text::tr("bits per byte, held-out text"), a.bits_per_byte, b.bits_per_byte, plainText)};
  if (comparison.difference.empty()) return all;
  const HeadDifference apart = over_heads(comparison);
  const std::size_t heads = comparison.difference.size();
  const QString which = heads == 1 ? Text::tr("1 head") : Text::tr("%1 heads").arg(heads);
  all.push_back({"mean_weight_difference", Text::tr("mean |Δ| of attention, %1").arg(which), {}, {}, apart.mean, plainText});
  all.push_back(
      {"largest_weight_difference", Text::tr("largest |Δ| of attention, %1").arg(which), {}, {}, apart.largest, plainText});
  return all;
}

QStringList cellsOf(const CompareQuantity& q) {
  const auto ratio = q.ratio();
  return {q.label, q.first ? q.text(*q.first) : none(), q.second ? q.text(*q.second) : none(),
          q.difference ? signedText(q) : none(), ratio ? fourDigits(*ratio) + QStringLiteral("x") : none()};
}

QStringList compareColumns() {
  return {{}, Text::tr("first"), Text::tr("second"), Text::tr("difference"), Text::tr("× first")};
}

Table compareTable(const CompareScene& scene) {
  Table table{{"what", "query", "key", "query_token", "key_token", "first", "second", "difference", "ratio"}, {}};
  if (scene.empty()) return table;
  for (const CompareQuantity& each : compareQuantities(*scene.comparison)) table.rows.push_back(csvRow(each));
  for (int query = 0; query < scene.comparison->tokens(); ++query)
    for (int key = 0; key <= query; ++key) table.rows.push_back(csvRow(scene, {query, key}));
  return table;
}

}  // namespace mla::ui
