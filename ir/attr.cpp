#include "gcompile/ir/attr.h"

#include <algorithm>

#include "gcompile/base/error.h"

namespace gcompile::ir {
namespace {

std::size_t mix(std::size_t h, std::size_t x) { return h ^ (x + 0x9e3779b97f4a7c15ULL + (h << 6) + (h >> 2)); }

bool equal(const AttrValue& a, const AttrValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* x = std::get_if<Array>(&a)) return same_bits(*x, std::get<Array>(b));
  return std::visit(
      [&](const auto& x) {
        using T = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<T, Array>)
          return false;
        else
          return x == std::get<T>(b);
      },
      a);
}

std::size_t hash_of(const AttrValue& v) {
  return std::visit(
      [](const auto& x) -> std::size_t {
        using T = std::decay_t<decltype(x)>;
        std::size_t h = 0;
        if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
          for (auto i : x) h = mix(h, std::hash<std::int64_t>{}(i));
        } else if constexpr (std::is_same_v<T, std::vector<Dim>>) {
          for (const auto& d : x) h = mix(h, d.hash());
        } else if constexpr (std::is_same_v<T, Array>) {
          h = std::hash<std::string_view>{}({static_cast<const char*>(x.raw()), x.bytes()});
        } else {
          h = std::hash<T>{}(x);
        }
        return h;
      },
      v);
}

}  // namespace

void Attrs::set(const std::string& key, AttrValue value) {
  auto it = std::lower_bound(entries_.begin(), entries_.end(), key,
                             [](const auto& e, const std::string& k) { return e.first < k; });
  if (it != entries_.end() && it->first == key)
    it->second = std::move(value);
  else
    entries_.insert(it, {key, std::move(value)});
}

const AttrValue* Attrs::find(std::string_view key) const {
  for (const auto& e : entries_)
    if (e.first == key) return &e.second;
  return nullptr;
}

void Attrs::fail(std::string_view key) {
  throw InternalError("attribute '" + std::string(key) + "' is missing or of another type");
}

bool operator==(const Attrs& a, const Attrs& b) {
  return std::equal(a.entries_.begin(), a.entries_.end(), b.entries_.begin(), b.entries_.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && equal(x.second, y.second); });
}

std::size_t Attrs::hash() const {
  std::size_t h = 0;
  for (const auto& [key, value] : entries_) h = mix(mix(h, std::hash<std::string>{}(key)), hash_of(value));
  return h;
}

}  // namespace gcompile::ir
