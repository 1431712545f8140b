#include "gpu/ops/sample.h"

#include "core/model/sampler.h"
#include "tests/gpu/device_test.h"

namespace mla::gpu::testing {
namespace {

class SampleTest : public DeviceTest {
 protected:
  /// One draw a row.
  static std::vector<int> chosen(const std::vector<float>& logits, int vocab, const std::vector<Draw>& draws) {
    Stream stream;
    std::vector<DeviceDraw> given;
    for (const Draw& d : draws) given.push_back({d.sampling.temperature, d.sampling.top_p, d.at, d.sampling.top_k});
    const auto in = to_device(stream, logits);
    const auto how = to_device(stream, given);
    Array<double> weights(logits.size());
    Array<int> tokens(draws.size());
    choose_tokens(stream, {in.data(), how.data(), weights.data(), tokens.data(), int(draws.size()), vocab});
    return to_host(stream, tokens);
  }
  static void expect_the_cpus(const std::vector<float>& logits, int vocab, const std::vector<Draw>& draws) {
    const std::vector<int> got = chosen(logits, vocab, draws);
    for (std::size_t i = 0; i < draws.size(); ++i)
      EXPECT_EQ(got[i], choose(draws[i], std::span(logits).subspan(i * std::size_t(vocab), std::size_t(vocab))))
          << "vocabulary " << vocab << " temperature " << draws[i].sampling.temperature << " top_k "
          << draws[i].sampling.top_k << " top_p " << draws[i].sampling.top_p << " at " << draws[i].at;
  }
};

TEST_F(SampleTest, TokensAreTheCpusAtEverySetting) {
  unsigned seed = 1;
  for (const int vocab : kSanitized ? std::vector{5, 300} : std::vector{1, 5, 300, 1025})
    for (const Sampling& sampling : std::vector<Sampling>{{0, 0, 1}, {1, 0, 1}, {0.3, 5, 1}, {2, 0, 0.6}, {1, 40, 0.9}}) {
      std::vector<Draw> draws;
      for (const double at : kSanitized ? std::vector{0.31, 0.999} : std::vector{0.0, 0.31, 0.77, 0.999})
        draws.push_back({sampling, at});
      expect_the_cpus(normal(std::size_t(vocab) * draws.size(), seed++, 2), vocab, draws);
    }
}

TEST_F(SampleTest, OfEqualsTheFirstComesFirst) {
  const int vocab = 40;
  std::vector<float> logits(std::size_t(vocab) * 6, -1.0f);
  for (std::size_t i = 0; i < logits.size(); i += 7) logits[i] = 2.0f;
  for (std::size_t i = 3; i < logits.size(); i += 11) logits[i] = -0.0f;
  for (std::size_t i = 4; i < logits.size(); i += 11) logits[i] = 0.0f;
  std::vector<Draw> draws;
  for (const double at : {0.05, 0.2, 0.45, 0.7, 0.9, 0.98}) draws.push_back({{1, 12, 0.95}, at});
  expect_the_cpus(logits, vocab, draws);
  draws[0].sampling = {0, 0, 1};
  expect_the_cpus(logits, vocab, draws);
}

}  // namespace
}  // namespace mla::gpu::testing
