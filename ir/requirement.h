// What a graph needs of its symbolic extents beyond the bounds of each symbol. To take the elements 2 to 5 of an axis
// of N needs N - 5 >= 0; that of an axis of N + M is a matter of both. Constant extents are refused where a node is
// made; these are at a call, before anything is read or changed.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gcompile/base/location.h"
#include "gcompile/ir/dim.h"

namespace gcompile::ir {

class Graph;

struct Requirement {
  Dim extent;
  std::int64_t least = 0;
  std::string what;  // "slice: elements 2 to 5 of axis 0, which has N"
  Location where = {};
  friend bool operator==(const Requirement&, const Requirement&) = default;
};

// Those of the graph, then those of its nodes and of what they hold (OpDef::needs; no extent may be negative), each
// once with the line of the first. What holds for all extents within the symbols' bounds is left out.
std::vector<Requirement> requirements_of(const Graph& graph);
// Collects those of a graph that was made, and raises the least values of its symbols to what those of one symbol say.
// What the bounds said before is left to them.
void settle_requirements(Graph& graph);
// Throws CallError for the first that does not hold, which says what the symbols are. `source` may say for a symbol
// where its value is from: " from argument x (main.cpp:9)".
void check_requirements(const std::vector<Requirement>& requirements, const std::map<std::string, std::int64_t>& dims,
                        const std::function<std::string(const std::string&)>& source = nullptr);

// One line each: "  require N - 5 at least 0 "slice: ..." loc("main.cpp":9)".
std::string print_requirements(const std::vector<Requirement>& requirements);

}  // namespace gcompile::ir
