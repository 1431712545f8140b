#pragma once

#include <cstdint>
#include <string_view>

namespace mla {

/// A well-mixed 64-bit value of two (the finaliser of SplitMix64): derives one stream's key from another's.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

/// The key of a named stream, e.g. a tensor's.
constexpr std::uint64_t stream_key(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (char c : name) hash = (hash ^ std::uint8_t(c)) * 0x100000001b3ull;
  return mix(seed, hash);
}

/// Uniform numbers in [-sqrt(3), sqrt(3)) have variance 1.
inline constexpr float kUnitVariance = 1.7320508f;

}  // namespace mla
