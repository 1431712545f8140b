#include "ui/views/head_labels.h"

#include <QCoreApplication>
#include <QStringList>

namespace mla::ui {
namespace {

struct Text {
  Q_DECLARE_TR_FUNCTIONS(mla::ui::HeadLabels)
};

QString shortName(HeadKind kind) {
  switch (kind) {
    case HeadKind::sink:
      return Text::tr("sink");
    case HeadKind::previous_token:
      return Text::tr("previous");
    case HeadKind::induction:
      return Text::tr("induction");
  }
  return {};
}

QString text(std::string_view utf8) { return QString::fromUtf8(utf8.data(), qsizetype(utf8.size())); }

}  // namespace

const HeadScore* headScore(const Snapshot& snapshot, int head) {
  if (!snapshot.head_kinds) return nullptr;
  for (const HeadScore& score : *snapshot.head_kinds)
    if (score.layer == snapshot.attention.layer && score.head == head) return &score;
  return nullptr;
}

QString kindsLabel(const HeadScore& score) {
  QStringList names;
  for (const HeadKind kind : kinds_of(score)) names << shortName(kind);
  return names.join(QStringLiteral(", "));
}

QString kindsText(const HeadScore& score) {
  QStringList lines;
  for (const HeadKind kind : {HeadKind::sink, HeadKind::previous_token, HeadKind::induction})
    if (const auto value = score_of(score, kind))
      lines << Text::tr("%1 score %2 (label from %3): %4")
                   .arg(text(name_of(kind)))
                   .arg(*value, 0, 'f', 3)
                   .arg(threshold_of(kind))
                   .arg(text(explanation_of(kind)));
  return lines.join('\n');
}

}  // namespace mla::ui
