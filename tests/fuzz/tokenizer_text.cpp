// Any bytes through the golden tokenizers and back: nothing is lost where the tokenizer itself loses nothing.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "core/model/tokenizer.h"

using namespace mla;

namespace {

Tokenizer open_golden(const std::string& kind) {
  Result<Tokenizer> tokenizer = Tokenizer::open(std::string(MLA_SOURCE_DIR) + "/tests/golden/tokenizer/" + kind);
  if (tokenizer) return *tokenizer;
  std::fprintf(stderr, "%s\n", tokenizer.error().message.c_str());
  std::exit(1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Tokenizer lossless[]{open_golden("deepseek-v3"), open_golden("deepseek-v2"), open_golden("llama-3")};
  static const Tokenizer metaspace = open_golden("llama-2"), spaced = open_golden("gpt-2");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Tokenizer& tokenizer : lossless) {
    const auto ids = tokenizer.encode(text, false);
    if (!ids || tokenizer.decode(*ids) != text) std::abort();
  }
  const auto marked = metaspace.encode(text, false);
  const bool kept = text.find("\xe2\x96\x81") == text.npos && text.find('<') == text.npos;  // no mark, no added token
  if (!marked || (kept && metaspace.decode(*marked) != text)) std::abort();
  if (!spaced.encode(text, true)) std::abort();
  return 0;
}
