#include "gcompile_fuzz_variants.h"

#include "gcompile/codegen/compile.h"
#include "tests/support/guarded_arena.h"

namespace gcompile::fuzz {

Variants variants_of(const Sample& s, const Choice& choice) {
  RandomStream random(fold_in(random_key(choice.seed, "variants"), choice.index));
  const Target& target = choice.target;
  Variants v;
  codegen::CheckOptions& o = v.options;
  const auto draw = [&](int percent, const std::string& name) {
    const bool drawn = chance(random, percent);
    if (drawn) v.names.push_back(name);
    return drawn;
  };
  o.sizes = s.sizes;
  o.seed = s.data_seed;
  o.stop_at_failure = true;
  // A read or write beyond the memory that was planned ends the process.
  o.allocate = [less = choice.missing](std::int64_t bytes) { return testing::before_a_guard(bytes, less); };

  Target first = target;
  // Little unrolling compiles fast, and takes other ways through schedule and code generation.
  if (draw(50, "unroll 8"))
    first.unroll_limit = 8;
  else if (draw(60, "unroll 64"))
    first.unroll_limit = 64;
  // Random graphs are small: some are compiled as large ones are, in tiles, with states that lie in memory as products
  // want them and panels that are copied because caches are slow.
  if (draw(40, "small caches")) {
    first.tile_elements = 1;
    first.l1_bytes = first.l2_bytes = 64;
    first.rates.l3 = first.rates.dram = draw(50, "slow memory") ? 0.01 : 100;
  }
  o.targets = {first};
  Target narrow = codegen::target_named("x86-64-v3");
  if (narrow.vector_bytes < target.vector_bytes && codegen::runs_here(narrow, nullptr) && draw(5, "AVX2 too")) {
    narrow.unroll_limit = first.unroll_limit;
    narrow.tile_elements = first.tile_elements;
    o.targets.push_back(narrow);
  }
  o.quick = !draw(12, "full effort");
  o.kernel_text = draw(8, "kernel text");
  o.threads = draw(12, "threads");
  o.unshared = draw(6, "unshared");
  o.constant_extents = draw(12, "constant extents") ? 1 : 0;
  o.gradient = s.network && draw(50, "gradient");
  o.memory_budget = draw(20, "memory budget") ? 0 : -1;
  return v;
}

}  // namespace gcompile::fuzz
