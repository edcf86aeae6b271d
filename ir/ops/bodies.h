// Parts of shape inference that ops with bodies share.
#pragma once

#include "gcompile/ir/ops/infer.h"

namespace gcompile::ir {

// Body i, which takes values of these types; refuses anything else.
inline const Graph& body_for(const InferContext& c, std::size_t i, const std::vector<Type>& given) {
  if (c.bodies.size() != static_cast<std::size_t>(c.op.bodies) || !c.bodies[i])
    c.fail("takes " + std::to_string(c.op.bodies) + " bodies, got " + std::to_string(c.bodies.size()));
  const Graph& body = *c.bodies[i];
  if (!body.states.empty() || !body.updates.empty()) c.fail("a body has neither states nor updates");
  if (body.inputs.size() != given.size())
    c.fail("the body @" + body.name + " takes " + std::to_string(body.inputs.size()) + " values, it is given " +
           std::to_string(given.size()));
  for (std::size_t k = 0; k < given.size(); ++k)
    if (!(body.inputs[k].value.type() == given[k]))
      c.fail("input '" + body.inputs[k].name + "' of the body @" + body.name + " is " +
             body.inputs[k].value.type().str() + ", it is given " + given[k].str());
  return body;
}

inline std::vector<Type> result_types(const Graph& body) {
  std::vector<Type> types;
  for (const auto& r : body.results) types.push_back(r.value.type());
  return types;
}

}  // namespace gcompile::ir
