// Sums at indices (scatter_add) as loops: the memory is filled with zeros; then every update, in the order of its
// index, is added to the element that the index says, lanes over the last axis. That is a load and a store at an index
// known when it runs.
#include "gcompile/ir/op.h"
#include "gcompile/passes/lower.h"

namespace gcompile::passes {

void emit_scatter(BodyLowering& c, ir::Value v, const Destination& destination) {
  const ir::Node& n = *v.node;
  constexpr std::int64_t kUnroll = 8;  // loops up to this extent are wished unrolled
  KernelBuilder& b = c.builder();
  const BodyLowering::At here(c, n);
  const Type& t = n.types[0];
  const ir::Value updates = n.operands[0], indices = n.operands[1];
  const auto& rule = std::get<ir::ScatterLowering>(n.op->lower);
  const std::int64_t axis = n.attrs.get<std::int64_t>("axis"), shared = ir::shared_axes(n);
  over_lanes(c, t.size(), [&](const Dim& offset) {
    b.store(destination.memory, {offset}, b.literal(t.dtype, rule.identity(t.dtype)), c.mask);
  });

  const std::vector<Dim> before(t.dims.begin(), t.dims.begin() + axis), after(t.dims.begin() + axis + 1, t.dims.end());
  const std::vector<Dim> own(indices.type().dims.begin() + shared, indices.type().dims.end());
  const auto add = [&](const ir::Index& lead, const ir::Index& at, const ir::Index& rest, int place) {
    ir::Index from = lead, to = lead;
    from.insert(from.end(), at.begin(), at.end());
    from.insert(from.end(), rest.begin(), rest.end());
    to.emplace_back("$0");
    to.insert(to.end(), rest.begin(), rest.end());
    to = destination.at(to, t);
    const int sum =
        b.op(rule.combine, {b.load(destination.memory, t.dtype, to, {place}, c.mask), c.value(updates, from)});
    b.store(destination.memory, to, sum, c.mask, {place});
  };
  c.loops("i", before, kUnroll, [&](const ir::Index& lead) {
    c.loops("p", own, 1, [&](const ir::Index& at) {
      ir::Index which(lead.begin(), lead.begin() + shared);
      which.insert(which.end(), at.begin(), at.end());
      int place = b.op("max", {c.value(indices, which), b.literal(DType::kI32, 0)});
      place = b.op("min", {place, b.index(ir::last_place(t.dim(axis)))});
      if (after.empty()) return add(lead, at, {}, place);
      c.loops("i", {after.begin(), after.end() - 1}, kUnroll, [&](const ir::Index& rest) {
        over_lanes(c, after.back(), [&](const Dim& j) {
          ir::Index full = rest;
          full.push_back(j);
          add(lead, at, full, place);
        });
      });
    });
  });
}

}  // namespace gcompile::passes
