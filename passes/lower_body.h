// LoweredBody: which values of a fusion's body get memory of their own, and which are scalars of scalars.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "gcompile/passes/lower.h"

namespace gcompile::passes {

class LoweredBody {
 public:
  LoweredBody(BodyLowering& c, const ir::Graph& body, const std::vector<Output>& outputs);

  // A scalar made of scalars is made once, before the loops that read it, as soon as its operands are there.
  void make_scalar(const ir::Node* n);
  // The buffers that a value goes to.
  std::vector<std::string> buffers_of(ir::Value v) const;

  std::vector<const ir::Node*> nodes;  // in order
  std::vector<ir::Value> values;       // of the outputs
  std::unordered_set<const ir::Node*> placed, read;

 private:
  BodyLowering& c_;
  const std::vector<Output>& outputs_;
  std::unordered_set<const ir::Node*> made_;
};

// Scratch for so many elements and, where these have lanes, whole vectors (Destination::padded): neither stores nor
// loads of the last one need a mask. A processor hands what a masked store wrote to no load before it has reached the
// cache.
std::string padded_scratch(BodyLowering& c, DType dtype, std::int64_t size);

}  // namespace gcompile::passes
