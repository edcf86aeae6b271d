// gcompile-bench --perturb: the suite's networks with one width, or the batch, one larger or smaller. What was tuned
// for an example would fall from a cliff here.
#pragma once

namespace gcompile::bench {

// Prints for each the time for a flop over that of the unchanged network, measured before and after it; the exit code.
int perturb();

}  // namespace gcompile::bench
