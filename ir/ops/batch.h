// Parts of the batching rules that the families share, and the rules of records that give none. The batch axis is
// always the leading one, so most rules make the same node with its axes moved by one.
#pragma once

#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {

// By the record's traits and lowering: elementwise ops, reductions. Null for others.
Batch default_batch(const OpDef& op);

inline V operand(BatchContext& c, int i) { return {&c.b, c.operand(i)}; }
inline bool is_batched(const BatchContext& c, std::size_t i) { return c.batched[i]; }

// All axes by one further back, for an attribute; and the same behind a new leading entry.
Ints behind(const Ints& axes);
Ints behind(std::int64_t first, const Ints& axes);
// The extents of a batched value.
Dims with_batch(const BatchContext& c, const Dims& dims);
// An axis of a value becomes the leading one, the others keep their order.
V axis_to_front(V x, std::int64_t axis);
// The node's op on other operands, with its attributes but for one.
Value remade(BatchContext& c, std::vector<Value> operands, std::string_view changed, AttrValue value);

}  // namespace gcompile::ir
