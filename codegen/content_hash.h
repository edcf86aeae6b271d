// A strong hash of contents: 128 bits of XXH3 (Yann Collet's xxHash), far beyond accidental collisions, no defence
// against somebody who makes them. What is added is framed, so that ("ab", "c") and ("a", "bc") differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace gcompile::codegen {

struct ContentHash {
  std::uint64_t high = 0, low = 0;

  std::string hex() const;  // 32 digits
  friend bool operator==(const ContentHash&, const ContentHash&) = default;
};

class Hasher {
 public:
  Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();

  void add(std::int64_t number);
  void add(std::string_view bytes);  // with their number
  ContentHash finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gcompile::codegen
