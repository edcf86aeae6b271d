// The table of all ops, joined from the families.
#include "gcompile/ir/op.h"

#include <unordered_map>

#include "gcompile/base/error.h"
#include "gcompile/ir/control.h"
#include "gcompile/ir/ops/axes.h"
#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/families.h"

namespace gcompile::ir {
namespace {

// Every element of the operands goes into what is computed of them.
bool reads_all(const OpDef& def) { return def.is(kElementwise) || def.is(kFolding) || def.is(kContraction); }

struct Table {
  std::vector<OpDef> ops;
  std::unordered_map<std::string_view, const OpDef*> by_name;

  Table() {
    for (auto* family :
         {leaf_ops,      unary_ops,   math_ops,   binary_ops,     compare_ops, logic_ops,      select_ops, view_ops,
          structure_ops, indexed_ops, reduce_ops, arg_reduce_ops, cumsum_ops,  recurrence_ops, sort_ops,   dot_ops,
          window_ops,    conv_ops,    random_ops, scan_ops,       control_ops, call_ops,       fusion_ops})
      for (OpDef& def : family()) ops.push_back(std::move(def));
    for (OpDef& def : ops) {
      if (!def.axes) def.axes = default_axes(def);
      if (!def.batch) def.batch = default_batch(def);
      if (!def.error) def.error = default_error(def);
      if (def.on_nan == OnNan::kByTraits) def.on_nan = reads_all(def) ? OnNan::kShown : OnNan::kHidden;
    }
    for (const OpDef& def : ops)
      if (!by_name.emplace(def.name, &def).second) throw InternalError("two ops are named " + std::string(def.name));
  }
};

const Table& table() {
  static const Table the_table;
  return the_table;
}

}  // namespace

std::span<const OpDef> all_ops() { return table().ops; }

const OpDef* find_op(std::string_view name) {
  const auto it = table().by_name.find(name);
  return it == table().by_name.end() ? nullptr : it->second;
}

const OpDef& op(std::string_view name) {
  if (const OpDef* def = find_op(name)) return *def;
  throw InternalError("there is no op named " + std::string(name));
}

bool is_argument(const Node& node) { return node.op->name == "input" || node.op->name == "state"; }

ControlParts control_parts(const Node& node) { return node.op->control ? node.op->control(node) : ControlParts{}; }

void InferContext::fail(const std::string& message) const { throw ModelError(std::string(op.name) + ": " + message); }

Shape EvalContext::shape(int result) const {
  std::vector<std::int64_t> extents;
  for (const Dim& d : node.types[static_cast<std::size_t>(result)].dims) extents.push_back(d.evaluate(dims));
  return Shape(extents);
}

}  // namespace gcompile::ir
