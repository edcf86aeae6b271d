#include "gcompile/passes/widen.h"

#include <algorithm>

#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::V;
using ir::Value;

bool computes_float16(const Node& n) {
  if (n.op->is(ir::kLeaf) || n.op->is(ir::kView) || n.op->is(ir::kChoosing) || n.op->is(ir::kConversion) ||
      n.op->is(ir::kControl))
    return false;
  return std::any_of(n.types.begin(), n.types.end(), [](const Type& t) { return is_float16(t.dtype); });
}

}  // namespace

ir::Graph widen(const ir::Graph& graph, const PassContext&) {
  return ir::rewrite(
      graph,
      [](const Node& node, const std::vector<Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
        if (!computes_float16(node)) return std::nullopt;
        std::vector<Value> wide;
        for (const Value& v : operands)
          wide.push_back(is_float16(v.type().dtype) ? ir::cast({&b, v}, DType::kF32).v : v);
        const Value made = b.make(*node.op, std::move(wide), node.attrs);
        ir::Replacement results;
        for (std::size_t r = 0; r < node.types.size(); ++r)
          results.push_back(ir::cast(V{&b, made.node->result(static_cast<int>(r))}, node.types[r].dtype));
        return results;
      });
}

}  // namespace gcompile::passes
