#include "app/window/view_list.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ui/views/factory.h"

namespace mla {
namespace {

struct Description {
  std::string_view name, what;
};

constexpr std::array kDescriptions = {
    Description{"attention", "attention of one head: weights, scores, their NoPE and RoPE parts"},
    Description{"compare", "two experiments on the same tokens: attention, its difference, bytes, time and bits per byte"},
    Description{"coupled", "RoPE on the up-projected keys: expanded and absorbed scores, and where they part"},
    Description{"crossover",
                "time of absorbed, expanded and re-expanded attention over context, prompt and batch, and where they cross"},
    Description{"heads", "attention of all heads as small maps"},
    Description{"memory", "bytes of the cache against tokens: measured, and other variants by formula"},
    Description{"latency", "milliseconds per token, their running median and the roofline's prediction"},
    Description{"quality", "bits per byte on held-out text against cache bytes: every latent, and the plain models"},
    Description{"rank", "the rank lens: energy, attention and bits lost when latents are cut to their best directions"},
    Description{"stages", "where the time of a step goes, stacked by stage"},
    Description{"tokens", "the tokens that were read and generated"},
};

}  // namespace

std::vector<ViewEntry> view_list() {
  std::vector<ViewEntry> entries = {{"window", "the whole window"}};
  for (const QString& view : ui::viewNames()) {
    const std::string name = view.toStdString();
    const auto known =
        std::find_if(kDescriptions.begin(), kDescriptions.end(), [&](const auto& d) { return d.name == name; });
    entries.push_back({name, known != kDescriptions.end() ? std::string(known->what) : std::string()});
  }
  return entries;
}

}  // namespace mla
