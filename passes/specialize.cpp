#include "gcompile/passes/specialize.h"

#include <algorithm>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Value;

void check(const DimValues& values, const std::vector<std::string>& symbols,
           const std::map<std::string, ir::DimBounds>& bounds) {
  for (const auto& [name, value] : values) {
    if (std::find(symbols.begin(), symbols.end(), name) == symbols.end()) {
      std::string known;
      for (const std::string& s : symbols) known += (known.empty() ? "" : ", ") + s;
      throw Error("no dimension is called " + name + "; " +
                  (known.empty() ? "all are constants" : "the symbolic ones are " + known));
    }
    const auto it = bounds.find(name);
    const ir::DimBounds b = it == bounds.end() ? ir::DimBounds{} : it->second;
    if (value < b.min || value > b.max)
      throw Error("dimension " + name + " = " + std::to_string(value) + " is outside of its bounds " +
                  std::to_string(b.min) + " .. " + std::to_string(b.max));
  }
}

class Specializer {
 public:
  explicit Specializer(const DimValues& values) : given_(values) {
    for (const auto& [name, value] : values) values_.emplace(name, Dim(value));
  }

  Dim dim(const Dim& d) const { return d.substitute(values_); }
  std::vector<Dim> dims(const std::vector<Dim>& list) const {
    std::vector<Dim> out;
    for (const Dim& d : list) out.push_back(dim(d));
    return out;
  }
  Type type(const Type& t) const { return {t.dtype, dims(t.dims)}; }

  template <class Bounds>
  void drop(Bounds& bounds) const {
    for (const auto& [name, value] : values_) bounds.erase(name);
  }

  // Those that hold for the values are gone; CallError for one that does not.
  std::vector<ir::Requirement> requirements(const std::vector<ir::Requirement>& all) const {
    std::vector<ir::Requirement> left;
    for (ir::Requirement r : all) {
      const Dim extent = dim(r.extent);
      if (extent.is_constant() && !r.extent.is_constant()) ir::check_requirements({r}, given_);
      r.extent = extent;
      if (!extent.is_constant()) left.push_back(std::move(r));
    }
    return left;
  }

  // All nodes anew, in an arena of their own.
  ir::Graph graph(const ir::Graph& g) const {
    ir::Graph out(g.name);
    out.bounds = g.bounds;
    drop(out.bounds);
    out.requirements = requirements(g.requirements);
    ir::Builder b(out);
    ir::ValueMap<Value> map;
    for (const auto& i : g.inputs) {
      b.where = g.where(i.value.node);
      map[i.value] = b.input(i.name, type(i.value.type()));
    }
    for (const auto& s : g.states) {
      b.where = g.where(s.value.node);
      map[s.value] = b.state(s.name, type(s.value.type()), s.storage, s.trainable);
      out.states.back().order = s.order;
    }
    for (const ir::Node* n : g.topological()) {
      if (map.count({n, 0})) continue;
      ir::Attrs attrs = n->attrs;
      for (const auto& [key, value] : n->attrs.entries())
        if (const auto* d = std::get_if<std::vector<Dim>>(&value)) attrs.set(key, dims(*d));
      std::vector<Value> operands;
      for (const Value& v : n->operands) operands.push_back(map.at(v));
      b.where = g.where(n);
      ir::Bodies bodies;
      for (const auto& body : n->bodies) bodies.push_back(std::make_shared<const ir::Graph>(graph(*body)));
      const Value made = b.make(*n->op, std::move(operands), std::move(attrs), std::move(bodies));
      for (int r = 0; r < static_cast<int>(n->types.size()); ++r) map[{n, r}] = {made.node, r};
      if (g.is_backward(n)) mark_backward(out, made.node->id);
    }
    for (const auto& r : g.results) out.results.push_back({map.at(r.value), r.name});
    for (const auto& u : g.updates) out.updates.push_back({u.state, map.at(u.value)});
    return out;
  }

  // The nodes come in the order of their ids: mostly, the run that is open goes on.
  static void mark_backward(ir::Graph& g, int id) {
    if (g.backward.empty() || g.backward.back().second != id) g.backward.emplace_back(id, id);
    g.backward.back().second = id + 1;
  }

  void block(ir::Block& body) const {
    for (ir::Instr& i : body) {
      i.index = dims(i.index);
      i.extent = dim(i.extent);
      for (auto* axes : {&i.axes, &i.sums})
        for (ir::Axis& a : *axes) a.extent = dim(a.extent);
      i.left.index = dims(i.left.index);
      i.right.index = dims(i.right.index);
      block(i.body);
    }
  }

 private:
  const DimValues& given_;
  std::map<std::string, Dim> values_;
};

}  // namespace

ir::Graph specialize(const ir::Graph& graph, const DimValues& values) {
  Specializer(values).requirements(graph.requirements);  // before bounds, which say less
  check(values, graph.symbols(), graph.bounds);
  return values.empty() ? graph : Specializer(values).graph(graph);
}

ir::KernelModule specialize(const ir::KernelModule& module, const DimValues& values) {
  check(values, symbols_of(module), module.bounds);
  const Specializer s(values);
  ir::KernelModule out = module;
  s.drop(out.bounds);
  out.requirements = s.requirements(out.requirements);
  for (ir::Buffer& b : out.buffers) b.type = s.type(b.type);
  for (ir::Region& r : out.regions) {
    r.extent = s.dim(r.extent);
    for (ir::Region::Slice& slice : r.slices) slice.offset = s.dim(slice.offset);
  }
  for (ir::Kernel& k : out.kernels) s.block(k.body);
  return out;
}

std::vector<std::string> symbols_of(const ir::KernelModule& module) {
  std::set<std::string> symbols;
  for (const ir::Buffer& b : module.buffers)
    if (b.role == ir::BufferRole::kInput || b.role == ir::BufferRole::kState)
      for (const Dim& d : b.type.dims) symbols.merge(d.symbols());
  return {symbols.begin(), symbols.end()};
}

}  // namespace gcompile::passes
