#include "gcompile/passes/axes.h"

#include <algorithm>

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using Relations = std::vector<AxisRelation>;

bool contains(const std::vector<std::int64_t>& list, std::int64_t x) {
  return std::find(list.begin(), list.end(), x) != list.end();
}

// Axes of a reshape that stay axes: equal extents after equal products, from the front and from the back.
void reshape_relations(const std::vector<Dim>& from, const std::vector<Dim>& to, Relations& out) {
  std::size_t i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    if (from[i] == to[j]) {
      out.push_back({0, static_cast<int>(i++), static_cast<int>(j++)});
    } else if (from[i].is(1)) {
      ++i;
    } else if (to[j].is(1)) {
      ++j;
    } else {
      break;
    }
  }
  std::size_t p = from.size(), q = to.size();
  while (p > i && q > j) {
    if (from[p - 1] == to[q - 1]) {
      --p, --q;
      out.push_back({0, static_cast<int>(p), static_cast<int>(q)});
    } else if (from[p - 1].is(1)) {
      --p;
    } else if (to[q - 1].is(1)) {
      --q;
    } else {
      break;
    }
  }
}

// The axes of a dot's operand that are neither batch nor contracting, in order.
std::vector<int> free_axes(int rank, const std::vector<std::int64_t>& batch,
                           const std::vector<std::int64_t>& contract) {
  std::vector<int> free;
  for (int a = 0; a < rank; ++a)
    if (!contains(batch, a) && !contains(contract, a)) free.push_back(a);
  return free;
}

void dot_relations(const ir::Node& n, Relations& out) {
  const auto &lb = n.attrs.ints("lhs_batch"), &rb = n.attrs.ints("rhs_batch");
  int r = 0;
  for (std::size_t i = 0; i < lb.size(); ++i, ++r) {
    out.push_back({0, static_cast<int>(lb[i]), r});
    out.push_back({1, static_cast<int>(rb[i]), r});
  }
  for (int a : free_axes(n.operands[0].type().rank(), lb, n.attrs.ints("lhs_contract"))) out.push_back({0, a, r++});
  for (int a : free_axes(n.operands[1].type().rank(), rb, n.attrs.ints("rhs_contract"))) out.push_back({1, a, r++});
}

// Kept axes in order, for ops that fold some axes of operand 0 away.
void kept_relations(int rank, const std::vector<std::int64_t>& folded, Relations& out) {
  int r = 0;
  for (int a = 0; a < rank; ++a)
    if (!contains(folded, a)) out.push_back({0, a, r++});
}

}  // namespace

std::vector<AxisRelation> axis_relations(const ir::Node& n) {
  Relations out;
  const std::string_view op = n.op->name;
  const auto rank = [&](int i) { return n.operands[static_cast<std::size_t>(i)].type().rank(); };
  const auto ints = [&](const char* key) -> const std::vector<std::int64_t>& { return n.attrs.ints(key); };
  if (n.op->is(ir::kElementwise)) {
    for (int o = 0; o < static_cast<int>(n.operands.size()); ++o)
      for (int a = 0; a < rank(o); ++a) out.push_back({o, a, a});
  } else if (op == "broadcast") {
    for (int a = 0; a < rank(0); ++a)
      out.push_back({0, a, static_cast<int>(ints("axes")[static_cast<std::size_t>(a)])});
  } else if (op == "transpose") {
    for (int a = 0; a < rank(0); ++a)
      out.push_back({0, static_cast<int>(ints("permutation")[static_cast<std::size_t>(a)]), a});
  } else if (op == "reshape") {
    reshape_relations(n.operands[0].type().dims, n.types[0].dims, out);
  } else if (op == "slice") {
    for (int a = 0; a < rank(0); ++a) {
      const auto i = static_cast<std::size_t>(a);
      if (ints("starts")[i] == 0 && ints("steps")[i] == 1 && n.attrs.dims("stops")[i] == n.operands[0].type().dims[i])
        out.push_back({0, a, a});
    }
  } else if (op == "reverse") {
    for (int a = 0; a < rank(0); ++a)
      if (!contains(ints("axes"), a)) out.push_back({0, a, a});
  } else if (op == "pad") {
    for (int a = 0; a < rank(0); ++a) {
      const auto i = static_cast<std::size_t>(a);
      if (ints("low")[i] == 0 && ints("high")[i] == 0) out.push_back({0, a, a});
    }
  } else if (op == "concat") {
    const auto axis = n.attrs.get<std::int64_t>("axis");
    for (int o = 0; o < static_cast<int>(n.operands.size()); ++o)
      for (int a = 0; a < rank(o); ++a)
        if (a != axis) out.push_back({o, a, a});
  } else if (n.op->is(ir::kReduction) && n.attrs.has("axes")) {
    kept_relations(rank(0), ints("axes"), out);
  } else if (op == "argmax" || op == "argmin") {
    kept_relations(rank(0), {n.attrs.get<std::int64_t>("axis")}, out);
  } else if (op == "dot") {
    dot_relations(n, out);
  } else if (n.op->is(ir::kIndexing)) {
    const int axis = static_cast<int>(n.attrs.get<std::int64_t>("axis")), indices = rank(1);
    for (int a = 0; a < axis; ++a) out.push_back({0, a, a});
    if (n.op->is(ir::kFolding)) {  // operand 0 is slices of the result
      for (int a = axis + indices; a < rank(0); ++a) out.push_back({0, a, a - indices + 1});
    } else {
      for (int a = 0; a < indices; ++a) out.push_back({1, a, axis + a});
      for (int a = axis + 1; a < rank(0); ++a) out.push_back({0, a, a + indices - 1});
    }
  }
  return out;
}

std::vector<std::vector<std::pair<int, int>>> folded_axes(const ir::Node& n) {
  std::vector<std::vector<std::pair<int, int>>> out;
  if (n.op->name == "dot") {
    const auto &l = n.attrs.ints("lhs_contract"), &r = n.attrs.ints("rhs_contract");
    for (std::size_t i = 0; i < l.size(); ++i)
      out.push_back({{0, static_cast<int>(l[i])}, {1, static_cast<int>(r[i])}});
  } else if (n.op->is(ir::kReduction) && n.attrs.has("axes")) {
    for (std::int64_t a : n.attrs.ints("axes")) out.push_back({{0, static_cast<int>(a)}});
  } else if (n.op->is(ir::kIndexing) && n.op->is(ir::kFolding)) {
    const int axis = static_cast<int>(n.attrs.get<std::int64_t>("axis"));
    for (int a = 0; a < n.operands[1].type().rank(); ++a) out.push_back({{0, axis + a}, {1, a}});
  }
  return out;
}

AxisClasses::AxisClasses(const std::vector<const ir::Node*>& nodes) {
  for (const ir::Node* n : nodes)
    for (std::size_t r = 0; r < n->types.size(); ++r) {
      first_[{n, static_cast<int>(r)}] = static_cast<int>(parent_.size());
      for (int a = 0; a < n->types[r].rank(); ++a) parent_.push_back(static_cast<int>(parent_.size()));
    }
  for (const ir::Node* n : nodes) {
    for (const AxisRelation& r : axis_relations(*n))
      unite(n->operands[static_cast<std::size_t>(r.operand)], r.operand_axis, {n, 0}, r.result_axis);
    for (const auto& group : folded_axes(*n))
      for (std::size_t i = 1; i < group.size(); ++i)
        unite(n->operands[static_cast<std::size_t>(group[0].first)], group[0].second,
              n->operands[static_cast<std::size_t>(group[i].first)], group[i].second);
  }
}

int AxisClasses::id(ir::Value v, int axis) const { return first_.at(v) + axis; }

int AxisClasses::root(int i) const {
  auto at = [&](int k) -> int& { return parent_[static_cast<std::size_t>(k)]; };
  while (at(i) != i) i = at(i) = at(at(i));
  return i;
}

void AxisClasses::unite(ir::Value a, int axis_a, ir::Value b, int axis_b) {
  const int x = root(id(a, axis_a)), y = root(id(b, axis_b));
  parent_[static_cast<std::size_t>(std::max(x, y))] = std::min(x, y);
}

int AxisClasses::of(ir::Value v, int axis) const { return root(id(v, axis)); }

int AxisClasses::find(ir::Value v, int axis_class) const {
  int found = -1;
  for (int a = 0; a < v.type().rank(); ++a)
    if (of(v, a) == axis_class) found = found == -1 ? a : -2;
  return found;
}

}  // namespace gcompile::passes
