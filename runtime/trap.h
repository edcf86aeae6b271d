// What stopped a call of a compiled program, and how it is told. An Executable keeps the record of its last call; it is
// a plain value that costs the call nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "gcompile/base/array.h"
#include "gcompile/base/location.h"
#include "gcompile/ir/graph.h"

namespace gcompile::runtime {

struct TrapRecord {
  enum class Kind {
    kNone,
    kNaN,     // code - 1: position in the graph's topological() of the first checked value with a NaN (check-nan)
    kNative,  // code: what the compiled function returned
  };
  Kind kind = Kind::kNone;
  std::int32_t code = 0;
  int argument = -1;  // kNaN: the argument that had it; -1: none had

  explicit operator bool() const { return kind != Kind::kNone; }
};

// Where a NaN came from.
struct NanReport {
  Location where;  // of the op, of the state's first use, or of the argument
  std::string text;
  int argument = -1;
};

// Runs the graph that was compiled again, by the interpreter, with the same arguments and with the states as they are
// (a stopped call has changed none), and goes back from the value with the NaN to the first node that has one while its
// operands have none: told are op, type, forward or backward pass, and the operands with their lines and ranges; for an
// argument or a state its name and the first index. Where the interpreter, which computes an op in double precision,
// meets no NaN, the text says so and tells of the value itself. `value`: a position in graph.topological().
NanReport explain_nan(const ir::Graph& graph, std::size_t value, std::span<const Array* const> arguments);

}  // namespace gcompile::runtime
