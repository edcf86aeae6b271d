// Bodies of loops, branches and calls as they are traced: a function of the user's is run on placeholders in the trace
// at hand, so that it may use any Tensor or State around it; then what it made of them is cut out as a graph of its
// own. Internal to the frontend.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gcompile/frontend/making.h"
#include "gcompile/ir/inline.h"

namespace gcompile {

// A function on Tensors whose arity is known when it is run.
using TensorFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

// With as many arguments as the user's function takes, where that is not sure to be what it will be given.
struct CountedFunction {
  TensorFunction call;
  std::size_t arity;
};

struct Placeholder {
  std::string name;
  Type type;
};

// Leaves of the trace that stand for what a body will be given: they have no value, and must not be used outside of it.
std::vector<ir::Value> make_placeholders(const Making& making, const std::vector<Placeholder>& list);

// The body that `f` traces, with its placeholders as first inputs. ModelError when f sets a State. What it makes of
// values around it alone is made before a loop (kHoisted), or stays in the body (kInside).
enum class Invariants { kHoisted, kInside };
ir::Closure trace_body(const Making& making, const std::string& name, const std::vector<Placeholder>& list,
                       const TensorFunction& f, Invariants invariants = Invariants::kHoisted);

// Makes bodies, whose first `own` inputs are the same, take the same captured values, and returns these.
std::vector<ir::Value> share_captures(std::vector<ir::Closure*> closures, std::size_t own);

// What Tensors of the trace stand for.
std::vector<ir::Value> values_of(const Making& making, const std::vector<Tensor>& tensors);
// All results of a node as Tensors.
std::vector<Tensor> results_of(const Making& making, ir::Value first);

}  // namespace gcompile
