// Attributes that are lists and that the text of a graph leaves out when they are empty, as `lhs_batch` of most dots
// is: the printer leaves them out and the parser puts them back. An op without an entry prints all its lists.
#pragma once

#include <span>
#include <string_view>

namespace gcompile::ir {

struct OptionalList {
  std::string_view op, attribute;
  bool dims = false;  // a list of Dims, else of integers
};

std::span<const OptionalList> optional_lists();
const OptionalList* find_optional_list(std::string_view op, std::string_view attribute);

}  // namespace gcompile::ir
