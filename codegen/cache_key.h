// The key of a compiled program: a hash over everything that its code depends on. Two graphs with the same key get the
// same code from this build of the compiler.
#pragma once

#include <optional>
#include <string>

#include "gcompile/codegen/content_hash.h"
#include "gcompile/ir/graph.h"
#include "gcompile/ir/target.h"

namespace gcompile::codegen {

// Of the library that this code is in: the build-id that the linker made from all of it, LLVM included, so that no
// build reads what another one wrote. Empty when it was linked without one.
const std::string& build_identity();

// The graph with its locations and the contents of its constants, the target, the options that change code, the build.
// The values of states take no part. Nothing when this build has no identity: then nothing may be kept.
std::optional<ContentHash> cache_key(const ir::Graph& graph, const Target& target, bool check_nan,
                                     bool debug_info = false, std::int64_t memory_budget = -1);

// The key of the same for states that lie in memory as functions compiled before pinned them. Nothing when none is
// pinned.
std::optional<ContentHash> key_for_pinned_orders(const ContentHash& key, const ir::Graph& graph);

}  // namespace gcompile::codegen
