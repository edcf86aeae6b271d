#include "gcompile/passes/lower_body.h"

#include <algorithm>

#include "gcompile/ir/op.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {

using ir::Node;
using ir::Value;

LoweredBody::LoweredBody(BodyLowering& c, const ir::Graph& body, const std::vector<Output>& outputs)
    : nodes(body.topological()), c_(c), outputs_(outputs) {
  for (const Output& o : outputs) values.push_back(o.value);
  placed = placed_for_loops(nodes, values);
  for (const Node* n : nodes)
    for (const Value& v : n->operands) read.insert(v.node);
  for (const Node* n : nodes) make_scalar(n);
}

void LoweredBody::make_scalar(const Node* n) {
  if (!is_scalar_expression(*n) || placed.count(n) || !read.count(n)) return;
  for (const Value& v : n->operands)
    if (!made_.count(v.node) && !c_.is_placed(v) && !v.node->op->is(ir::kLeaf)) return;
  c_.element({n, 0}, {});
  made_.insert(n);
}

std::vector<std::string> LoweredBody::buffers_of(Value v) const {
  std::vector<std::string> names;
  for (const Output& o : outputs_)
    if (o.value == v) names.push_back(o.buffer);
  return names;
}

std::string padded_scratch(BodyLowering& c, DType dtype, std::int64_t size) {
  const std::int64_t whole =
      size < kFewLanes ? std::max<std::int64_t>(size, 1) : (size + ir::kLanes - 1) / ir::kLanes * ir::kLanes;
  return c.scratch("v", dtype, {whole}, ir::Scratch::Kind::kStack);
}

}  // namespace gcompile::passes
