#include "gcompile/frontend/making.h"

#include <algorithm>

namespace gcompile {

Making::Making(std::string_view name, Where where)
    : name_(name), where_(where), trace_(&Trace::required(name, where)), builder_(&trace_->at(where)) {}

void Making::fail(const std::string& message, const std::vector<std::pair<std::string, Tensor>>& operands) const {
  std::vector<DescribedOperand> described;
  for (const auto& [role, t] : operands) described.push_back({role, value(t).v, t.made_at()});
  throw ModelError(Location::from(trace_->user_line(where_)), name_ + ": " + message + operand_lines(described));
}

void Making::require_extents(const std::vector<Dim>& dims) const {
  for (const Dim& d : dims)
    if (d.is_constant() && d.constant() < 0) {
      const std::string text = Type{DType::kF32, dims}.str();
      fail("the extent " + d.str() + " of " + text.substr(text.find('[')) + " is negative");
    }
}

void Making::require_integer(const Operand& number, DType dtype, const std::string& what) const {
  const WeakNumber& given = number.weak_number();
  if (given.written_as_float() || !given.fits(dtype))
    fail(what + " is " + (given.written_as_float() ? std::to_string(given.value()) : given.str()) +
         ", and must be an integer: " + WeakNumber::held_by(dtype));
}

std::int64_t Making::axis(std::int64_t axis, const Tensor& x) const {
  const std::int64_t rank = value(x).type().rank();
  if (axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
  if (rank == 0) fail("axis " + std::to_string(axis) + " of a scalar, which has no axes", {{"operand", x}});
  fail("axis " + std::to_string(axis) + " is out of range: the axes are 0 to " + std::to_string(rank - 1) + ", or " +
           std::to_string(-rank) + " to -1 from the end",
       {{"operand", x}});
}

std::vector<std::int64_t> Making::axes(const Axes& axes, const Tensor& x) const {
  std::vector<std::int64_t> list;
  if (axes.all())
    for (int i = 0; i < value(x).type().rank(); ++i) list.push_back(i);
  for (const std::int64_t a : axes.list()) list.push_back(axis(a, x));
  std::sort(list.begin(), list.end());
  if (const auto twice = std::adjacent_find(list.begin(), list.end()); twice != list.end())
    fail("axis " + std::to_string(*twice) + " is given twice", {{"operand", x}});
  return list;
}

ir::V index_value(const Making& making, const Tensor& t, const std::string& what,
                  const std::vector<std::pair<std::string, Tensor>>& operands) {
  ir::V v = making.value(t);
  const DType dtype = v.type().dtype;
  if (!is_integer(dtype)) making.fail("the " + what + " must be integers, not " + v.type().str(), operands);
  if (dtype == DType::kI32) return v;
  const IntegerRange given = range_of(dtype), held = range_of(DType::kI32);
  const auto bound = [&](const char* op, std::int64_t limit) {
    v = ir::binary(op, v, {v.b, ir::splat(*v.b, v.type(), static_cast<double>(limit))});
  };
  if (given.max > held.max) bound("min", held.max);
  if (given.min < held.min) bound("max", held.min);
  return ir::cast(v, DType::kI32);
}

void require_places(const Making& making, const Dim& extent, ir::V indices, const std::string& axis,
                    const std::vector<std::pair<std::string, Tensor>>& operands) {
  const std::vector<Dim>& dims = indices.type().dims;
  if (extent.is(0) && std::none_of(dims.begin(), dims.end(), [](const Dim& d) { return d.is(0); }))
    making.fail(axis + " is empty, and the indices are " + indices.type().str(), operands);
}

std::optional<std::vector<Dim>> broadcast_dims(const std::vector<Dim>& a, const std::vector<Dim>& b) {
  std::vector<Dim> dims(std::max(a.size(), b.size()));
  for (std::size_t i = 1; i <= dims.size(); ++i) {
    const Dim& x = i <= a.size() ? a[a.size() - i] : b[b.size() - i];
    const Dim& y = i <= b.size() ? b[b.size() - i] : x;
    if (!(x == y) && !x.is(1) && !y.is(1)) return std::nullopt;
    dims[dims.size() - i] = x.is(1) ? y : x;
  }
  return dims;
}

ir::V broadcast_value(ir::V v, const std::vector<Dim>& dims) {
  if (v.type().dims == dims) return v;
  // Axes of extent 1 that are repeated are dropped first, so that the broadcast only adds axes.
  const std::vector<Dim> from = v.type().dims;
  const std::size_t added = dims.size() - from.size();
  std::vector<Dim> kept;
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!(from[i] == dims[i + added])) continue;
    kept.push_back(from[i]);
    axes.push_back(static_cast<std::int64_t>(i + added));
  }
  return ir::broadcast(ir::reshape(v, kept), dims, axes);
}

std::pair<ir::V, ir::V> unify(const Making& making, const Operand& a, const Operand& b) {
  if (a.is_number() && b.is_number()) making.fail("two numbers: at least one operand must be a Tensor");
  if (a.is_number() || b.is_number()) {
    const Tensor& t = a.is_number() ? b.tensor() : a.tensor();
    const Type type = making.value(t).type();
    return {making.value(a.as(type)), making.value(b.as(type))};
  }
  const ir::V x = making.value(a.tensor()), y = making.value(b.tensor());
  const auto both = [&] {
    return std::vector<std::pair<std::string, Tensor>>{{"left", a.tensor()}, {"right", b.tensor()}};
  };
  if (x.type().dtype != y.type().dtype)
    making.fail("the dtypes differ: " + x.type().str() + " and " + y.type().str() +
                    "; tensors are not promoted: cast one of them with gc::cast",
                both());
  const auto dims = broadcast_dims(x.type().dims, y.type().dims);
  if (!dims) making.fail("the shapes do not broadcast: " + x.type().str() + " and " + y.type().str(), both());
  return {broadcast_value(x, *dims), broadcast_value(y, *dims)};
}

}  // namespace gcompile
