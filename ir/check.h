// What is wrong with an IR, if anything: the rules of verify, for verify itself (which prints the IR) and for the
// parsers (which name line and column).
#pragma once

#include <optional>
#include <string>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/kernel.h"

namespace gcompile::ir {

struct GraphFault {
  const Node* node = nullptr;  // null: the graph as a whole
  std::string message;
};
// Types as inferred again, operands before users, leaves and updates, bodies of fusions, known symbols.
std::optional<GraphFault> find_fault(const Graph& graph);

struct KernelFault {
  int instruction = -1;  // counted from 0 over all kernels of the module, `for` before its body; -1: no instruction
  int kernel = -1;       // -1: none
  std::string message;
};
std::optional<KernelFault> find_fault(const KernelModule& module);

}  // namespace gcompile::ir
