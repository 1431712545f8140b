#include "ui/views/factory.h"

#include <algorithm>
#include <array>

#include "ui/views/attention_view.h"
#include "ui/views/compare_view.h"
#include "ui/views/coupled_view.h"
#include "ui/views/crossover_view.h"
#include "ui/views/heads_view.h"
#include "ui/views/latency_view.h"
#include "ui/views/memory_view.h"
#include "ui/views/quality_view.h"
#include "ui/views/rank_view.h"
#include "ui/views/stages_view.h"
#include "ui/views/tokens_view.h"

namespace mla::ui {
namespace {

struct Entry {
  const char* name;
  std::unique_ptr<View> (*make)();
};

template <class V>
std::unique_ptr<View> make() {
  return std::make_unique<V>();
}

constexpr std::array<Entry, 11> entries{{{"attention", make<AttentionView>},
                                         {"compare", make<CompareView>},
                                         {"coupled", make<CoupledView>},
                                         {"crossover", make<CrossoverView>},
                                         {"heads", make<HeadsView>},
                                         {"latency", make<LatencyView>},
                                         {"memory", make<MemoryView>},
                                         {"quality", make<QualityView>},
                                         {"rank", make<RankView>},
                                         {"stages", make<StagesView>},
                                         {"tokens", make<TokensView>}}};

}  // namespace

QStringList viewNames() {
  QStringList names;
  for (const Entry& entry : entries) names << QString::fromLatin1(entry.name);
  return names;
}

std::unique_ptr<View> makeView(const QString& name) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return name == QLatin1String(entry.name); });
  return found == entries.end() ? nullptr : found->make();
}

}  // namespace mla::ui
