#include "gcompile/passes/contiguous_view.h"

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

// Whether a slice takes all of every axis but the leading one, and each element of what it takes of that.
bool is_of_rows(const ir::Node& n) {
  const auto &starts = n.attrs.ints("starts"), &steps = n.attrs.ints("steps");
  const auto& stops = n.attrs.dims("stops");
  const Type& x = n.operands[0].type();
  for (std::size_t a = 0; a < steps.size(); ++a)
    if (steps[a] != 1 || (a > 0 && (starts[a] != 0 || !(stops[a] == x.dims[a])))) return false;
  return !steps.empty();
}

}  // namespace

ContiguousView contiguous_view(ir::Value v) {
  ContiguousView view{v};
  for (;;) {
    const ir::Node& n = *view.source.node;
    if (n.op->name == "slice" && is_of_rows(n)) {
      Dim row(1);
      for (int a = 1; a < n.types[0].rank(); ++a) row = row * n.types[0].dim(a);
      view.offset = view.offset + row * Dim(n.attrs.ints("starts")[0]);
    } else if (!n.op->is(ir::kRowMajor)) {
      return view;
    }
    view.source = n.operands[0];
  }
}

}  // namespace gcompile::passes
