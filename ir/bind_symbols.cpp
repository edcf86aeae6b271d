#include "gcompile/ir/bind_symbols.h"

#include <optional>
#include <set>

namespace gcompile::ir {
namespace {

// The only symbol that is not known, when the extent is a multiple of it plus what is known.
std::optional<std::string> solvable(const Dim& extent, const std::set<std::string>& known) {
  std::optional<std::string> unknown;
  for (const std::string& s : extent.symbols()) {
    if (known.count(s)) continue;
    if (unknown) return std::nullopt;
    unknown = s;
  }
  if (!unknown) return std::nullopt;
  const std::optional<Dim> step = extent.coefficient_of(*unknown);
  return step && step->is_constant() && !step->is(0) ? unknown : std::nullopt;
}

}  // namespace

std::vector<SymbolSource> symbol_sources(std::span<const Type> types) {
  std::vector<SymbolSource> sources;
  std::set<std::string> known;
  // Of the extents that `symbol` has an answer for; whether there was one.
  const auto add = [&](const auto& symbol) {
    const std::size_t before = sources.size();
    for (std::size_t i = 0; i < types.size(); ++i)
      for (int axis = 0; axis < types[i].rank(); ++axis)
        if (const std::optional<std::string> s = symbol(types[i].dim(axis)); s && known.insert(*s).second)
          sources.push_back({*s, i, axis});
    return sources.size() > before;
  };
  add([](const Dim& d) { return d.as_symbol(); });
  while (add([&](const Dim& d) { return solvable(d, known); })) {
  }
  return sources;
}

std::int64_t symbol_value(const Dim& extent, const std::string& symbol, std::int64_t given,
                          const std::map<std::string, std::int64_t>& known) {
  const std::int64_t step = extent.coefficient_of(symbol)->constant();
  const std::int64_t rest = extent.substitute({{symbol, Dim(0)}}).evaluate(known);
  const Dim multiple = step < 0 ? Dim(rest - given) : Dim(given - rest);
  return floordiv(multiple, step < 0 ? -step : step).constant();
}

void bind_symbols(std::span<const Type> types, std::span<const Shape> shapes,
                  std::map<std::string, std::int64_t>& known) {
  for (const auto& [symbol, i, axis] : symbol_sources(types)) {
    if (known.count(symbol) || axis >= shapes[i].rank()) continue;
    const Dim& extent = types[i].dim(axis);
    bool is_told = true;
    for (const std::string& s : extent.symbols()) is_told = is_told && (s == symbol || known.count(s));
    if (is_told) known.emplace(symbol, symbol_value(extent, symbol, shapes[i][axis], known));
  }
}

}  // namespace gcompile::ir
