#include "gcompile/frontend/describe.h"

#include <algorithm>

#include "gcompile/ir/op.h"

namespace gcompile {

namespace {

// "parameter w"; for other values nothing.
std::string state_name(ir::Value v) {
  if (v.node->op->name != "state") return "";
  const Trace* trace = Trace::current();
  const int i = trace ? trace->graph().state_index(v) : -1;
  const bool trainable = i < 0 || trace->graph().states[static_cast<std::size_t>(i)].trainable;
  return (trainable ? "parameter " : "state ") + v.node->attrs.get<std::string>("name");
}

std::string origin(ir::Value v, Where made) {
  const std::string line = Location::from(made).str();
  if (const std::string state = state_name(v); !state.empty()) return state + ", used at " + line;
  const std::string_view op = v.node->op->name;
  if (op == "input") return "made at " + line + " (input " + v.node->attrs.get<std::string>("name") + ")";
  if (op == "transpose")
    if (const std::string state = state_name(v.node->operands[0]); !state.empty())
      return "transposed from " + state + " " + v.node->operands[0].type().str() + ", used at " + line;
  return "made at " + line + " (" + std::string(op) + ")";
}

}  // namespace

std::string operand_lines(const std::vector<DescribedOperand>& operands) {
  std::size_t role_width = 0, type_width = 0;
  for (const DescribedOperand& o : operands) {
    role_width = std::max(role_width, o.role.size());
    type_width = std::max(type_width, o.value.type().str().size());
  }
  std::string text;
  for (const DescribedOperand& o : operands) {
    const std::string type = o.value.type().str();
    text += "\n  " + o.role + std::string(role_width - o.role.size() + 1, ' ') + type +
            std::string(type_width - type.size() + 2, ' ') + origin(o.value, o.made);
  }
  return text;
}

}  // namespace gcompile
