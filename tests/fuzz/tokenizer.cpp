// The text of a tokenizer.json, and what loads from it on a few texts.

#include <cstdint>
#include <cstdlib>

#include "core/model/tokenizer.h"

using namespace mla;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<Tokenizer> tokenizer = Tokenizer::from_json(text, "file");
  if (!tokenizer) {
    if (tokenizer.error().message.rfind("file: ", 0) != 0) std::abort();
    return 0;
  }
  const std::string_view texts[]{"", " Two words,\r\n\t12345 \xe4\xbd\xa0\xe5\xa5\xbd", "<s> a<|end|>b \xff\xc3\x28",
                                 text.substr(0, 300)};
  for (const std::string_view sample : texts) {
    const auto ids = tokenizer->encode(sample, true);
    if (!ids) continue;  // an expression of too many steps
    for (const int id : *ids) {
      if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
    }
    tokenizer->decode(*ids);
  }
  return 0;
}
