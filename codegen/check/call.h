// One call of a graph, by the interpreter or by compiled code, with data of its own: the states of a model are read and
// never written. What the checks of this folder, the fuzzer and tests of invariants are made of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/program.h"
#include "gcompile/ir/target.h"
#include "gcompile/runtime/executable.h"

namespace gcompile::codegen {

using DimValues = std::map<std::string, std::int64_t>;

struct Call {
  std::vector<Array> inputs;            // in the graph's order
  std::map<std::string, Array> states;  // by name: passes may drop some
  DimValues dims;
};
// The values that the states have, or samples (sample.h).
Call sample_call(const ir::Graph& graph, const DimValues& dims, std::uint64_t seed);

// What a call gives: results in order, and the values of all updated states after it.
struct Outcome {
  std::vector<Array> results;
  std::map<std::string, Array> states;
};
// The same with the distance that compiled code may have, per element (f64).
struct BoundedOutcome {
  Outcome values;
  Outcome errors;
};

Outcome interpret(const ir::Graph& graph, const Call& call);
BoundedOutcome interpret_with_bounds(const ir::Graph& graph, const Call& call);

// A compiled program with storages of its own.
class Compiled {
 public:
  // `quick` as in CodeOptions.
  Compiled(ir::Program program, const Target& target, int threads = 1, bool quick = false);
  // Sets the states, runs, reads them. Throws InternalError when a state that has no update changed.
  Outcome run(const Call& call);
  const ir::Program& program() const { return executable_->program(); }
  // Where calls from now on have their temporaries.
  void set_allocator(runtime::Executable::Allocate allocate) { executable_->set_allocator(std::move(allocate)); }

 private:
  std::map<std::string, std::shared_ptr<StateStorage>> states_;
  std::unique_ptr<runtime::Executable> executable_;
};

// The same program with nothing shared: no update in place, every temporary in a slot of its own.
ir::Program without_sharing(ir::Program program);

}  // namespace gcompile::codegen
