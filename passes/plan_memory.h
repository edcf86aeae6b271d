// plan-memory: KernelModule -> Program. Decides where every temporary lives: in the storage of the state it is the new
// value of (an update in place, when no read of the old value can come after the write), or in a slot of the arena that
// it shares with temporaries of other lifetimes. Updates that cannot be made in place are copied after the last launch.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Program plan_memory(const ir::KernelModule& module, const PassContext& context);

// Whether `state` is certainly not read after the first write of `value`, but for loads of the very element that the
// same block then stores (an element is stored once: ir/kernel.h). Exported for tests.
bool may_update_in_place(const ir::KernelModule& module, const std::string& state, const std::string& value);

}  // namespace gcompile::passes
