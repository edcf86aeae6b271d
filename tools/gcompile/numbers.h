// Arrays as text for people and for diff.
#pragma once

#include <string>

#include "gcompile/base/array.h"

namespace gcompile::tool {

// "f32[2,2] [[1, 2], [3, 4]]" with all elements; floats with as many digits as tell any two apart (%.9g, %.17g), or in
// hexadecimal. Two NaNs print alike.
std::string print_values(const Array& array, bool hex);

}  // namespace gcompile::tool
