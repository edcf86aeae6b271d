// Reads the text of graphs. Throws ParseError "file:line:column: expected ..., found ..." and nothing else, whatever
// the text is; depth and memory are bounded by the text's length and fixed limits.
//
//   graph    = "graph" "@"name "(" [param {"," param}] ")" "{" {dim | state} {node} ["return" results] {update} "}"
//   param    = "%"name ":" type [loc]
//   dim      = "dim" symbol "in" int ".." int                        bounds of a symbol; without it 0 .. 2^31
//   state    = "state" "@"name ":" type ["order" "(" axes ")"] ["frozen"] [loc]
//   node     = value [":" count] "=" op ["(" operands ")"] ["{" attribute {"," attribute} "}"] ":" types [loc] [body]
//            | value "=" "constant" array [loc]
//   types    = type | "(" [type {"," type}] ")"                      one, or not one
//   body     = "graph" "@"name "(" params ")" "{" {node} "return" results "}"      of a fusion
//   results  = [operand ["as" string] {"," ...}]
//   update   = "update" "@"name "=" operand
//   value    = "%"number | "%"name               operand = value ["#" result index] | "@"name
//   attribute = name "=" (int | float | "true" | "false" | string | dtype | array | "[" ints "]" | "(" dims ")")
//   array    = dtype "[" extents "]" (number | nested lists | "splat" number)
//   type     = dtype "[" dims "]"                dim: "2*N*M + 3", "floordiv(N + 15, 16)", "mod(N, 4)"
//   loc      = "loc" "(" string [":" line] {"," ...} ")"
//   name     = [A-Za-z_][A-Za-z0-9_.]* | string
//
// Comments run from // or # to the end of the line. Lists that an op takes and that are empty may be left out
// (optional_lists.h). Types of results are inferred; the written one must be the same.
#pragma once

#include <string>
#include <string_view>

#include "gcompile/ir/graph.h"

namespace gcompile::ir {

// One graph. `file` stands in messages, and is the location of nodes that have no `loc`; when it is empty, such nodes
// stay without, and messages say "<text>".
Graph parse_graph(std::string_view text, const std::string& file = "");

// Alone, for options of the tool and for tests: "2*N + 3", "f32[N,8]".
Dim parse_dim(std::string_view text);
Type parse_type(std::string_view text);

}  // namespace gcompile::ir
