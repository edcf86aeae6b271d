// parallelize: loops whose iterations several threads may share. A loop of a kernel's body becomes `parallel`, in a
// kernel of its own, when
//   - it carries no values, and no scratch is used both inside and outside of it;
//   - of buffers that it stores to it reads nothing, or only what the same iteration stores: all accesses agree in an
//     entry of the index that no two iterations share (an update in place is planned later, and reads an element only
//     before it is stored); that iterations store different elements is a rule of the IR;
//   - temporaries that it does not store by iteration are filled anew by whoever reads them (panels): each thread gets
//     one of its own;
//   - with constant extents, it is worth waking a thread: Target::serial_cutoff. With symbolic ones the program decides
//     at each call.
// An iteration does the same whoever runs it, so bits do not depend on the number of threads.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::KernelModule parallelize(const ir::KernelModule& module, const PassContext& context);

}  // namespace gcompile::passes
