#include "gcompile/runtime/random.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "gcompile/base/error.h"

namespace gcompile {
namespace {

// low + u * (high - low), kept below high where rounding would reach it.
template <class T>
T scaled(double u, double low, double high) {
  const T value = static_cast<T>(low + u * (high - low));
  return value < static_cast<T>(high) ? value : std::nextafter(static_cast<T>(high), static_cast<T>(low));
}

// Blocks that are made at a time: the rounds go over lanes, so that a compiler makes vector instructions of them.
constexpr std::size_t kLanes = 32;

void threefry_lanes(RandomKey key, std::uint64_t first, std::uint32_t (&x0)[kLanes], std::uint32_t (&x1)[kLanes]) {
  constexpr int kRotations[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const std::uint32_t keys[3] = {key.k0, key.k1, 0x1BD11BDAu ^ key.k0 ^ key.k1};
  for (std::size_t l = 0; l < kLanes; ++l) {
    x0[l] = static_cast<std::uint32_t>(first + l) + keys[0];
    x1[l] = static_cast<std::uint32_t>((first + l) >> 32) + keys[1];
  }
  for (std::uint32_t round = 0; round < 20; ++round) {
    const int left = kRotations[round % 8], right = 32 - left;
    for (std::size_t l = 0; l < kLanes; ++l) {
      x0[l] += x1[l];
      x1[l] = (x1[l] << left | x1[l] >> right) ^ x0[l];
    }
    if (round % 4 != 3) continue;
    const std::uint32_t injection = round / 4 + 1;
    const std::uint32_t add0 = keys[injection % 3], add1 = keys[(injection + 1) % 3] + injection;
    for (std::size_t l = 0; l < kLanes; ++l) {
      x0[l] += add0;
      x1[l] += add1;
    }
  }
}

}  // namespace

void random_words(RandomKey key, std::uint64_t first, std::span<std::uint32_t> words) {
  std::uint32_t x0[kLanes], x1[kLanes];
  for (std::size_t begin = 0; begin < words.size(); begin += 2 * kLanes) {
    threefry_lanes(key, first + begin / 2, x0, x1);
    const std::size_t count = std::min(2 * kLanes, words.size() - begin);
    std::uint32_t* const out = words.data() + begin;
    for (std::size_t l = 0; l < count / 2; ++l) {
      out[2 * l] = x0[l];
      out[2 * l + 1] = x1[l];
    }
    if (count % 2) out[count - 1] = x0[count / 2];
  }
}

RandomKey random_key(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  const auto add = [&](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001B3u; };
  for (int i = 0; i < 8; ++i) add(seed >> (8 * i) & 0xFF);
  for (char c : name) add(static_cast<unsigned char>(c));
  return {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)};
}

RandomKey fold_in(RandomKey key, std::uint64_t data) {
  const auto [k0, k1] = threefry2x32(key, data);
  return {k0, k1};
}

void fill_uniform(Array& values, double low, double high, RandomKey key) {
  if (!is_float(values.dtype()))
    throw CallError("fill_uniform: needs an Array of floats, got " + std::string(name(values.dtype())) +
                    values.shape().str());
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    throw CallError("fill_uniform: low <= high and both finite are needed, got low = " + std::to_string(low) +
                    ", high = " + std::to_string(high));
  if (is_float16(values.dtype())) {
    Array single(DType::kF32, values.shape());
    fill_uniform(single, low, high, key);
    values = single.cast(values.dtype());
    return;
  }
  constexpr std::size_t kChunk = 1024;
  std::uint32_t words[kChunk];
  const auto fill = [&](auto out, std::size_t words_each, auto unit) {
    const std::size_t chunk = kChunk / words_each;
    for (std::size_t begin = 0; begin < out.size(); begin += chunk) {
      const std::size_t count = std::min(chunk, out.size() - begin);
      random_words(key, begin * words_each / 2, std::span(words).first(count * words_each));
      for (std::size_t i = 0; i < count; ++i)
        out[begin + i] = scaled<typename decltype(out)::value_type>(unit(words + i * words_each), low, high);
    }
  };
  if (values.dtype() == DType::kF32)
    fill(values.mutable_data<float>(), 1, [](const std::uint32_t* w) { return uniform01(w[0]); });
  else
    fill(values.mutable_data<double>(), 2, [](const std::uint32_t* w) {
      return static_cast<double>((static_cast<std::uint64_t>(w[1]) << 32 | w[0]) >> 11) * 0x1p-53;
    });
}

void RandomStream::refill() {
  random_words(key_, block_, buffer_);
  block_ += kBuffered / 2;
  used_ = 0;
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  if (bound <= 0xFFFFFFFFu) {
    const auto limit = static_cast<std::uint32_t>(bound);
    std::uint64_t product = static_cast<std::uint64_t>(next()) * limit;
    if (static_cast<std::uint32_t>(product) < limit) {  // perhaps in the part that would make a bias: draw again
      const std::uint32_t biased = (0u - limit) % limit;
      while (static_cast<std::uint32_t>(product) < biased) product = static_cast<std::uint64_t>(next()) * limit;
    }
    return product >> 32;
  }
  const std::uint64_t largest = ~std::uint64_t{0} - (~std::uint64_t{0} % bound + 1) % bound;
  for (;;) {
    const std::uint64_t low = next();
    const std::uint64_t word = static_cast<std::uint64_t>(next()) << 32 | low;
    if (word <= largest) return word % bound;
  }
}

void shuffle(std::span<std::int64_t> values, RandomKey key) {
  RandomStream stream(key);
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[stream.below(i)]);
}

}  // namespace gcompile
