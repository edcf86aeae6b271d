// How values are told to the user in errors: their type, and where they come from.
//   left  f32[32,8]  made at model.cpp:12 (input x)
//   right f32[6,4]   transposed from parameter linear2.weight f32[4,6], used at model.cpp:14
#pragma once

#include <string>
#include <vector>

#include "gcompile/frontend/trace.h"

namespace gcompile {

struct DescribedOperand {
  std::string role;  // "left"
  ir::Value value;
  Where made;
};

// One indented line per operand, aligned, each beginning with a newline.
std::string operand_lines(const std::vector<DescribedOperand>& operands);

}  // namespace gcompile
