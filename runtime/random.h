// Counter-based random numbers: bits = f(key, counter), without hidden state, so that any element of any stream can be
// made anywhere, in any order, with the same bits on every machine and with any standard library.
// The function is Threefry-2x32 with 20 rounds: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel Random
// Numbers: As Easy as 1, 2, 3", SC 2011. Not for cryptography.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string_view>

#include "gcompile/base/array.h"

namespace gcompile {

// Selects one of 2^64 independent streams.
struct RandomKey {
  std::uint32_t k0 = 0, k1 = 0;
  friend bool operator==(const RandomKey&, const RandomKey&) = default;
};

// 64 random bits as two words: the block of the key's stream at `counter`.
constexpr std::array<std::uint32_t, 2> threefry2x32(RandomKey key, std::array<std::uint32_t, 2> counter) {
  constexpr int kRotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const std::uint32_t keys[3] = {key.k0, key.k1, 0x1BD11BDAu ^ key.k0 ^ key.k1};
  std::uint32_t x0 = counter[0] + keys[0], x1 = counter[1] + keys[1];
  for (std::uint32_t round = 0; round < 20; ++round) {
    x0 += x1;
    x1 = std::rotl(x1, kRotations[round % 8]) ^ x0;
    if (round % 4 == 3) {
      const std::uint32_t injection = round / 4 + 1;
      x0 += keys[injection % 3];
      x1 += keys[(injection + 1) % 3] + injection;
    }
  }
  return {x0, x1};
}
constexpr std::array<std::uint32_t, 2> threefry2x32(RandomKey key, std::uint64_t counter) {
  return threefry2x32(key, {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32)});
}

// The blocks at counters first, first + 1, ... one after the other; an odd last word is word 0 of its block. The same
// words as threefry2x32 gives, several times as fast.
void random_words(RandomKey key, std::uint64_t first, std::span<std::uint32_t> words);

// The key of a named stream: the 64-bit FNV-1a hash of the seed's eight bytes (lowest first) and the name's bytes; k0
// is the hash's low word. A parameter's initial values are a function of (seed, full parameter name) by way of this.
RandomKey random_key(std::uint64_t seed, std::string_view name);
// A key of its own for each number: the block of `key` at counter `data`.
RandomKey fold_in(RandomKey key, std::uint64_t data);

// [0, 1) in steps of 2^-24, from the upper 24 bits.
constexpr float uniform01(std::uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

// Sets every element to a uniform number in [low, high): element i of an f32 array from word i % 2 of block i / 2, of
// an f64 array from the upper 53 bits of block i (word 1 above word 0), those of 16-bit floats as f32, rounded. Throws
// CallError for other dtypes, unless low
// <= high and both are finite; low == high sets that value.
void fill_uniform(Array& values, double low, double high, RandomKey key);

// The words of a stream, one after the other.
class RandomStream {
 public:
  explicit RandomStream(RandomKey key) : key_(key) {}

  std::uint32_t next() {
    if (used_ == kBuffered) refill();
    return buffer_[used_++];
  }
  // A uniform number in [0, bound), without bias; bound > 0. (D. Lemire, "Fast Random Integer Generation in an
  // Interval", 2019, for bounds below 2^32.)
  std::uint64_t below(std::uint64_t bound);

 private:
  static constexpr std::size_t kBuffered = 64;
  void refill();

  RandomKey key_;
  std::uint64_t block_ = 0;
  std::size_t used_ = kBuffered;
  std::array<std::uint32_t, kBuffered> buffer_;
};

// A uniformly random permutation of the values, in place (Fisher-Yates from the end): the same on every platform.
void shuffle(std::span<std::int64_t> values, RandomKey key);

}  // namespace gcompile
