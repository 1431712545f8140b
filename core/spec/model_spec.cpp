#include "core/spec/model_spec.h"

#include <algorithm>
#include <array>

#include "core/spec/limits.h"
#include "core/spec/text.h"

namespace mla {

namespace {

constexpr std::array<std::string_view, 4> kVariants{"mla", "mha", "gqa", "mqa"};
constexpr std::array<std::string_view, 4> kPaths{"uncached", "expanded", "reexpanded", "absorbed"};
constexpr std::array<std::string_view, 5> kCacheDtypes{"fp32", "fp16", "bf16", "fp8", "int8"};
constexpr std::array<std::string_view, 3> kWeightsDtypes{"stored", "bf16", "int8"};
constexpr std::array<std::string_view, 3> kBlocks{"attention", "decoder", "toy"};
constexpr std::array<std::string_view, 2> kScorings{"softmax", "sigmoid"};
constexpr std::array<std::string_view, 3> kTopkMethods{"greedy", "group_limited_greedy", "noaux_tc"};

/// The enumerator whose name the text is; names that are planned are refused as such.
template <class Enum, std::size_t N>
Result<Enum> parse_name(std::string_view text, const std::array<std::string_view, N>& names, std::string_view what,
                        std::initializer_list<std::string_view> planned = {}) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  std::string known;
  for (const auto name : names) known += (known.empty() ? "" : ", ") + std::string(name);
  const bool later = std::find(planned.begin(), planned.end(), text) != planned.end();
  return Error{std::string(what) + " " + printable(text) + (later ? " is not built yet" : " is not known") + "; there are " +
               known};
}

constexpr int even_part(int dim) { return dim - dim % 2; }

/// MHA, GQA or MQA with heads of that dimension, all of it rotated (less one where it is odd).
void become_grouped(AttentionSpec& a, int head_dim, bool rope) {
  a.qk_rope_head_dim = rope ? even_part(head_dim) : 0;
  a.qk_nope_head_dim = head_dim - a.qk_rope_head_dim;
  a.v_head_dim = head_dim;
  a.kv_lora_rank = 0;
  a.q_lora_rank = 0;
  a.trained_kv_lora_rank = 0;
  a.joint_rank = 0;
}

void become_latent(AttentionSpec& a) {
  a.joint_rank = 0;
  const int dim = a.head_dim();
  a.kv_lora_rank = static_cast<int>(std::min<std::int64_t>(4 * dim, limits::kv_lora_rank.high));
  a.q_lora_rank = 0;
  a.qk_nope_head_dim = dim;
  a.qk_rope_head_dim = even_part(dim / 2);
  a.v_head_dim = dim;
}

}  // namespace

std::string_view name_of(Variant variant) { return kVariants[static_cast<std::size_t>(variant)]; }
std::string_view name_of(AttentionPath path) { return kPaths[static_cast<std::size_t>(path)]; }
std::string_view name_of(CacheDtype dtype) { return kCacheDtypes[static_cast<std::size_t>(dtype)]; }
std::string_view name_of(WeightsDtype dtype) { return kWeightsDtypes[static_cast<std::size_t>(dtype)]; }
std::string_view name_of(BlockKind block) { return kBlocks[static_cast<std::size_t>(block)]; }
std::string_view name_of(ScoringFunc scoring) { return kScorings[static_cast<std::size_t>(scoring)]; }
std::string_view name_of(TopkMethod method) { return kTopkMethods[static_cast<std::size_t>(method)]; }

std::string title_of(const AttentionSpec& attention) {
  constexpr std::array<const char*, 4> titles{"MLA", "MHA", "GQA-", "MQA"};
  const std::string title = titles[static_cast<std::size_t>(attention.variant)];
  return attention.variant == Variant::gqa ? title + std::to_string(attention.num_key_value_heads) : title;
}

Result<Variant> parse_variant(std::string_view text) { return parse_name<Variant>(text, kVariants, "variant", {"tpa"}); }
Result<AttentionPath> parse_path(std::string_view text) { return parse_name<AttentionPath>(text, kPaths, "attention"); }
Result<CacheDtype> parse_cache_dtype(std::string_view text) {
  return parse_name<CacheDtype>(text, kCacheDtypes, "cache-dtype");
}
Result<WeightsDtype> parse_weights_dtype(std::string_view text) {
  if (text == "fp32") return WeightsDtype::stored;
  const auto dtype = parse_name<WeightsDtype>(text, kWeightsDtypes, "weights-dtype");
  return dtype ? dtype : Result<WeightsDtype>(Error{dtype.error().message + ", fp32"});
}
Result<BlockKind> parse_block(std::string_view text) { return parse_name<BlockKind>(text, kBlocks, "block"); }
Result<ScoringFunc> parse_scoring_func(std::string_view text) {
  return parse_name<ScoringFunc>(text, kScorings, "scoring_func");
}
Result<TopkMethod> parse_topk_method(std::string_view text) {
  return parse_name<TopkMethod>(text, kTopkMethods, "topk_method");
}

std::vector<AttentionPath> paths_of(Variant variant) {
  using enum AttentionPath;
  if (variant != Variant::mla) return {uncached, expanded};
  return {uncached, expanded, reexpanded, absorbed};
}

int default_groups(int heads) {
  int groups = std::min(heads, 8);
  while (groups > 1 && heads % groups != 0) --groups;
  return groups;
}

int lens_rank(const AttentionSpec& a) {
  if (!a.is_mla()) return a.joint_rank;
  return a.trained_kv_lora_rank > 0 ? a.kv_lora_rank : 0;
}

int full_lens_rank(const AttentionSpec& a) {
  return a.is_mla() ? a.latent_dim() : std::min(2 * a.num_key_value_heads * a.head_dim(), a.hidden_size);
}

ModelSpec without_lens(const ModelSpec& spec) {
  ModelSpec whole = spec;
  AttentionSpec& a = whole.attention;
  a.kv_lora_rank = a.latent_dim();
  a.trained_kv_lora_rank = a.joint_rank = 0;
  return whole;
}

ModelSpec full_size(const ModelSpec& spec) {
  ModelSpec full = without_lens(spec);
  if (!spec.attention.elastic) return full;
  const Elastic& elastic = *spec.attention.elastic;
  full.attention.num_attention_heads = full.attention.num_key_value_heads = elastic.num_attention_heads;
  full.attention.kv_lora_rank = elastic.kv_lora_rank;
  full.attention.qk_rope_head_dim = elastic.qk_rope_head_dim;
  return full;
}

bool same_weights(const ModelSpec& a, const ModelSpec& b) { return full_size(a) == full_size(b); }

ModelSpec with_variant(const ModelSpec& spec, Variant variant) {
  ModelSpec changed = spec;
  AttentionSpec& a = changed.attention;
  if (a.variant == variant) return changed;
  if (variant == Variant::mla) become_latent(a);
  if (a.variant == Variant::mla) a.elastic.reset();
  if (a.variant == Variant::mla) become_grouped(a, a.v_head_dim, spec.block != BlockKind::toy);
  a.variant = variant;
  const int heads = a.num_attention_heads;
  a.num_key_value_heads = variant == Variant::gqa ? default_groups(heads) : variant == Variant::mqa ? 1 : heads;
  return changed;
}

}  // namespace mla
