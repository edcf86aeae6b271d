// gradient: reverse-mode differentiation of a graph, symbolically: one backward walk over the gradient rules (vjp) of
// the op records. What it makes are ordinary nodes, so a gradient can be differentiated again. See Griewank and
// Walther, Evaluating Derivatives (2008), chapter 3.
#pragma once

#include <span>
#include <vector>

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

// The derivative of `loss` with respect to each of `wrt` (leaves or values in between), as new nodes of the builder's
// graph, with the type of wrt[i]. An empty Value where the loss does not depend on wrt[i] or where only integers, bools
// or stop_gradient lie between: whether that is an error, a warning or zeros is the caller's business. With a seed (of
// the loss's type) the result is the product of the seed and the Jacobian.
//
// Only nodes on a path from wrt to loss are walked. Cotangents of a value with several users are added from its last
// user to its first, so the same graph always gives the same sums. Every node made carries the locations of the forward
// node whose rule made it. The walk does not recurse: the depth of the graph does not matter.
//
// Throws ModelError, at the forward node's location: the loss is not a float scalar (and there is no seed), the seed's
// type is not the loss's, or an op on the path is not differentiable.
std::vector<ir::Value> gradient(ir::Builder& b, ir::Value loss, std::span<const ir::Value> wrt, ir::Value seed = {});

// The same for any values of the graph: the cotangents of `wrt`, given those of `results` (an empty one stands for
// zeros).
std::vector<ir::Value> cotangents_of(ir::Builder& b, std::span<const ir::Value> results,
                                     std::span<const ir::Value> cotangents, std::span<const ir::Value> wrt);

// The pass of the tool: differentiates the first result that is a float scalar and adds a result "d" + name for every
// trainable state and every float input; zeros where the loss does not depend on it. Throws ModelError when no result
// is a float scalar.
ir::Graph gradient_pass(const ir::Graph& graph, const PassContext& context);

// The wanted name, with a number behind it when a result of the graph has that: for passes that add results.
std::string unused_result(const ir::Graph& graph, const std::string& wanted);

}  // namespace gcompile::passes
