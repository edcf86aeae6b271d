#include "gcompile/ir/cost.h"

#include <algorithm>

namespace gcompile::ir {

double Cost::bytes(const std::map<std::string, std::int64_t>& dims) const {
  double bytes = 0;
  for (const Traffic& t : traffic)
    bytes += static_cast<double>(std::min(t.accessed.evaluate(dims), t.size.evaluate(dims)));
  return bytes;
}

}  // namespace gcompile::ir
