#include "gcompile/passes/inline.h"

#include "gcompile/ir/inline.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {

ir::Graph inline_calls(const ir::Graph& graph, const PassContext& context) {
  return ir::rewrite(
      graph,
      [&](const ir::Node& n, const std::vector<ir::Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
        if (!n.op->is(ir::kInlined)) return std::nullopt;
        return ir::inline_graph(b, inline_calls(n.body(), context), operands);
      });
}

}  // namespace gcompile::passes
