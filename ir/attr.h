// Attributes of a node: a small map from names to values, sorted by name so that equality, hashing and printing are
// canonical.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gcompile/base/array.h"
#include "gcompile/ir/dim.h"

namespace gcompile::ir {

using AttrValue =
    std::variant<std::int64_t, double, bool, std::string, DType, std::vector<std::int64_t>, std::vector<Dim>, Array>;

class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string, AttrValue>> entries) {
    for (const auto& [key, value] : entries) set(key, value);
  }

  void set(const std::string& key, AttrValue value);
  const AttrValue* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  // The value of an attribute that must be there with that type; InternalError otherwise (infer checks what a user
  // wrote, with get_if-style finds, before anything else reads it).
  template <class T>
  const T& get(std::string_view key) const {
    const AttrValue* v = find(key);
    const T* t = v ? std::get_if<T>(v) : nullptr;
    if (!t) fail(key);
    return *t;
  }
  const std::vector<std::int64_t>& ints(std::string_view key) const { return get<std::vector<std::int64_t>>(key); }
  const std::vector<Dim>& dims(std::string_view key) const { return get<std::vector<Dim>>(key); }
  const auto& entries() const { return entries_; }

  // Arrays compare by bits.
  friend bool operator==(const Attrs& a, const Attrs& b);
  std::size_t hash() const;

 private:
  [[noreturn]] static void fail(std::string_view key);
  std::vector<std::pair<std::string, AttrValue>> entries_;
};

}  // namespace gcompile::ir
