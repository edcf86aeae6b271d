// What one launch of a kernel computes and moves, as polynomials in the symbols of its module: for profiles.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gcompile/ir/dim.h"

namespace gcompile::ir {

struct Cost {
  // One direction of one buffer, in bytes. What is accessed more than once is in a cache after the first time, so
  // memory moves no more than the size of the buffer.
  struct Traffic {
    Dim accessed, size;
  };
  Dim flops = 0;
  std::vector<Traffic> traffic = {};

  // At least so much has to come from, or go to, where the buffers are.
  double bytes(const std::map<std::string, std::int64_t>& dims) const;
};

}  // namespace gcompile::ir
