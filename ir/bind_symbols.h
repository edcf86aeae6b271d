// What the shapes of arguments say of symbols: the one place that knows which extents tell what a symbol is.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gcompile/ir/type.h"

namespace gcompile::ir {

// The extent that a symbol is known from: of the axis of a value.
struct SymbolSource {
  std::string symbol;
  std::size_t value;
  int axis;
};

// Every symbol that is known from the shapes of values of these types, in an order in which each needs only those
// before it: from the first extent that is the symbol itself, else from one that is a multiple of it plus what is known
// without it (2*N, N + M where N is known). A symbol of which no extent says so (N*N) is missing.
std::vector<SymbolSource> symbol_sources(std::span<const Type> types);

// The value of the symbol when the extent, as in symbol_sources, is `given`; rounded down where it is none (2*N = 5),
// which who compares all extents with their values then sees.
std::int64_t symbol_value(const Dim& extent, const std::string& symbol, std::int64_t given,
                          const std::map<std::string, std::int64_t>& known);

// Adds the values of all symbols that these shapes say and `known` does not. Ranks may differ: what an axis that a
// shape has not would say is not known.
void bind_symbols(std::span<const Type> types, std::span<const Shape> shapes,
                  std::map<std::string, std::int64_t>& known);

}  // namespace gcompile::ir
