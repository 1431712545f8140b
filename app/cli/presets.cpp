#include "core/spec/presets.h"

#include <iomanip>
#include <iostream>

#include "app/cli/command.h"

namespace mla {
namespace {

void print_shape(const ModelSpec& spec) {
  const AttentionSpec& a = spec.attention;
  std::cout << spec.num_hidden_layers << (spec.num_hidden_layers == 1 ? " layer" : " layers") << ", hidden " << a.hidden_size
            << ", heads " << a.num_attention_heads;
  if (!a.is_mla()) {
    std::cout << '/' << a.num_key_value_heads << " of " << a.head_dim();
    return;
  }
  std::cout << ", latent " << a.kv_lora_rank << " + RoPE " << a.qk_rope_head_dim << ", NoPE " << a.qk_nope_head_dim
            << ", value " << a.v_head_dim << ", q-LoRA " << (a.q_lora_rank > 0 ? std::to_string(a.q_lora_rank) : "none");
}

Outcome run() {
  for (const Preset& preset : presets()) {
    std::cout << std::left << std::setw(18) << preset.name << std::setw(26) << preset.title << std::setw(5)
              << (preset.spec.attention.is_mla()                  ? "MLA"
                  : preset.spec.attention.variant == Variant::gqa ? "GQA"
                                                                  : "MHA");
    print_shape(preset.spec);
    if (!preset.note.empty()) std::cout << " (" << preset.note << ')';
    std::cout << '\n';
  }
  return {};
}

}  // namespace

Command add_presets(CLI::App& program) {
  return {program.add_subcommand("presets", "Shapes of published models, one a line, for --preset"), run};
}

}  // namespace mla
