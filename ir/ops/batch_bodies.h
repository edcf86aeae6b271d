// Batching rules of ops with bodies: a loop over a batch is a loop of batches.
#pragma once

#include "gcompile/ir/op.h"

namespace gcompile::ir {

std::vector<Value> batch_scan(BatchContext& c);
// A condition that differs between the members of a batch makes both branches, and chooses element by element; while
// loops in a branch go on for those members only that take it.
std::vector<Value> batch_cond(BatchContext& c);
// A condition that differs runs the body as long as it holds for any member; the others keep what they have.
std::vector<Value> batch_while(BatchContext& c);
// Of calls: all operands of all bodies are batched.
std::vector<Value> batch_call(BatchContext& c);

}  // namespace gcompile::ir
