// The text of graphs (.gir) and of the parts that graphs and kernels have in common. parse_graph(print(g)) prints the
// same, and equal graphs have equal texts: values are numbered densely in topological order, attributes are sorted,
// floating-point numbers are the shortest that read back to the same bits. The grammar stands in parse.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::ir {

struct PrintOptions {
  bool locations = true;  // loc("model.cpp":14) after nodes: the last component of the file and the line
};

std::string print(const Graph& graph, const PrintOptions& options = {});

// Parts, used by the printers of graphs, kernels and programs.

// A name as it stands after % or @: itself when it is an identifier ([A-Za-z_][A-Za-z0-9_.]*), else quoted.
bool is_identifier(std::string_view name);
std::string print_name(std::string_view name);
std::string quote(std::string_view text);
// A number of the dtype, exact; "nan", "-inf", and the bits in hexadecimal for a NaN with another payload.
std::string print_number(DType dtype, double value);
// "f32[2,2] [[1, 2], [3, 4]]", all elements; "f32[100] splat 0" when they are many and equal.
std::string print_array(const Array& array);
// ` loc("model.cpp":14, "model.cpp":20)` with a leading space; empty when none is known. Equal ones appear once.
std::string print_locations(const std::vector<Location>& locations);
// "  dim N in 1 .. 1024\n" per symbol.
std::string print_bounds(const std::map<std::string, DimBounds>& bounds);

}  // namespace gcompile::ir
