// Views, joins and selections: everything that moves elements and computes none.
#include <algorithm>

#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"

namespace gcompile {

namespace {

std::string dims_text(const std::vector<Dim>& dims) {
  const std::string text = Type{DType::kF32, dims}.str();
  return text.substr(text.find('['));
}

void require_held(const Making& making, const WeakNumber& number, DType dtype) {
  if (!number.fits(dtype)) making.fail("the number is " + number.str() + ", and " + WeakNumber::held_by(dtype));
}

// One end of a slice, counted from the end of the axis when it is negative.
Dim from_end(const Dim& position, const Dim& extent) {
  return position.is_constant() && position.constant() < 0 ? extent + position : position;
}

// The parts' common type, or an error that shows two that differ outside of the axis.
void require_like(const Making& making, const Tensor& first, const Tensor& other, std::int64_t free_axis) {
  const Type &a = making.value(first).type(), &b = making.value(other).type();
  bool same = a.dtype == b.dtype && a.rank() == b.rank();
  for (int i = 0; same && i < a.rank(); ++i) same = i == free_axis || a.dim(i) == b.dim(i);
  if (!same)
    making.fail("the parts do not fit together: " + a.str() + " and " + b.str(), {{"first", first}, {"other", other}});
}

}  // namespace

Tensor reshape(const Tensor& x, const std::vector<Dim>& dims, Where where) {
  const Making making("reshape", where);
  const ir::V v = making.value(x);
  std::vector<Dim> to = dims;
  const auto unknown = std::find(to.begin(), to.end(), Dim(-1));
  if (unknown != to.end()) {
    if (std::find(unknown + 1, to.end(), Dim(-1)) != to.end())
      making.fail("only one extent can be -1", {{"operand", x}});
    *unknown = 1;
    const auto rest = product(to).is(0) ? std::nullopt : v.type().size().divided_by(product(to));
    if (!rest)
      making.fail(v.type().str() + " has " + v.type().size().str() + " elements, which " + dims_text(dims) +
                      " does not divide",
                  {{"operand", x}});
    *unknown = *rest;
  }
  if (!(product(to) == v.type().size()))
    making.fail(v.type().str() + " has " + v.type().size().str() + " elements, " + dims_text(to) + " has " +
                    product(to).str(),
                {{"operand", x}});
  return making.tensor(ir::reshape(v, to));
}

Tensor flatten(const Tensor& x, int first_axis, Where where) {
  const Making making("flatten", where);
  const std::vector<Dim>& dims = making.value(x).type().dims;
  const auto kept = dims.begin() + making.axis(first_axis, x);
  std::vector<Dim> to(dims.begin(), kept);
  to.push_back(product({kept, dims.end()}));
  return reshape(x, to, where);
}

Tensor squeeze(const Tensor& x, int axis, Where where) {
  const Making making("squeeze", where);
  std::vector<Dim> dims = making.value(x).type().dims;
  const std::int64_t a = making.axis(axis, x);
  if (!dims[static_cast<std::size_t>(a)].is(1))
    making.fail("axis " + std::to_string(a) + " has the extent " + dims[static_cast<std::size_t>(a)].str() + ", not 1",
                {{"operand", x}});
  dims.erase(dims.begin() + a);
  return making.tensor(ir::reshape(making.value(x), dims));
}

Tensor unsqueeze(const Tensor& x, int axis, Where where) {
  const Making making("unsqueeze", where);
  std::vector<Dim> dims = making.value(x).type().dims;
  const auto rank = static_cast<std::int64_t>(dims.size());
  if (axis < -rank - 1 || axis > rank)
    making.fail("axis " + std::to_string(axis) + " is out of range: a new axis can be at 0 to " + std::to_string(rank),
                {{"operand", x}});
  dims.insert(dims.begin() + (axis < 0 ? axis + rank + 1 : axis), Dim(1));
  return making.tensor(ir::reshape(making.value(x), dims));
}

Tensor broadcast_to(const Tensor& x, const std::vector<Dim>& dims, Where where) {
  const Making making("broadcast_to", where);
  const ir::V v = making.value(x);
  const auto both = broadcast_dims(v.type().dims, dims);
  if (!both || *both != dims)
    making.fail(v.type().str() + " does not broadcast to " + dims_text(dims), {{"operand", x}});
  return making.tensor(broadcast_value(v, dims));
}

Tensor transpose(const Tensor& x, const std::vector<std::int64_t>& permutation, Where where) {
  const Making making("transpose", where);
  const ir::V v = making.value(x);
  std::vector<std::int64_t> axes;
  for (const std::int64_t a : permutation) axes.push_back(making.axis(a, x));
  std::vector<std::int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  const bool twice = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  if (twice || static_cast<int>(axes.size()) != v.type().rank())
    making.fail("the permutation must name each of the " + std::to_string(v.type().rank()) + " axes once",
                {{"operand", x}});
  return making.tensor(ir::transpose(v, axes));
}

Tensor T(const Tensor& x, Where where) {
  const Making making("T", where);
  const int rank = making.value(x).type().rank();
  if (rank < 2) making.fail("swaps the last two axes, of which a tensor of rank 2 or more has two", {{"operand", x}});
  std::vector<std::int64_t> permutation;
  for (int i = 0; i < rank; ++i) permutation.push_back(i);
  std::swap(permutation[permutation.size() - 2], permutation[permutation.size() - 1]);
  return transpose(x, permutation, where);
}

Tensor slice(const Tensor& x, int axis, std::int64_t begin, std::optional<Dim> end, Where where) {
  const Making making("slice", where);
  const ir::V v = making.value(x);
  const std::int64_t a = making.axis(axis, x);
  const Dim extent = v.type().dim(a);
  const Dim first = from_end(begin, extent), last = end ? from_end(*end, extent) : extent;
  const Dim count = last - first, rest = extent - last;
  if (!first.is_constant())
    making.fail("the begin of a slice of a symbolic axis cannot be counted from its end", {{"operand", x}});
  if (first.constant() < 0 || (count.is_constant() && count.constant() < 0) ||
      (rest.is_constant() && rest.constant() < 0))
    making.fail("elements " + Dim(begin).str() + " to " + last.str() + " of axis " + std::to_string(a) +
                    ", which has " + extent.str(),
                {{"operand", x}});
  std::vector<std::int64_t> starts(v.type().dims.size(), 0), steps(v.type().dims.size(), 1);
  std::vector<Dim> stops = v.type().dims;
  starts[static_cast<std::size_t>(a)] = first.constant();
  stops[static_cast<std::size_t>(a)] = last;
  return making.tensor({making.builder().make("slice", {v}, {{"starts", starts}, {"stops", stops}, {"steps", steps}})});
}

Tensor concat(const std::vector<Tensor>& parts, int axis, Where where) {
  const Making making("concat", where);
  if (parts.empty()) making.fail("there is nothing to join");
  const std::int64_t a = making.axis(axis, parts[0]);
  std::vector<ir::Value> values;
  for (const Tensor& p : parts) {
    require_like(making, parts[0], p, a);
    values.push_back(making.value(p));
  }
  return parts.size() == 1 ? parts[0] : making.tensor(making.builder().make("concat", values, {{"axis", a}}));
}

Tensor stack(const std::vector<Tensor>& parts, int axis, Where where) {
  const Making making("stack", where);
  if (parts.empty()) making.fail("there is nothing to join");
  const LocationScope scope(where);
  std::vector<Tensor> rows;
  for (const Tensor& p : parts) {
    require_like(making, parts[0], p, -1);
    rows.push_back(unsqueeze(p, axis));
  }
  return concat(rows, axis);
}

Tensor pad(const Tensor& x, const std::vector<std::int64_t>& low, const std::vector<std::int64_t>& high,
           WeakNumber value, Where where) {
  const Making making("pad", where);
  const ir::V v = making.value(x);
  const auto negative = [](std::int64_t n) { return n < 0; };
  if (low.size() != v.type().dims.size() || high.size() != low.size())
    making.fail("needs one number per axis, before and after", {{"operand", x}});
  if (std::any_of(low.begin(), low.end(), negative) || std::any_of(high.begin(), high.end(), negative))
    making.fail("elements can be added only (slice takes them away)", {{"operand", x}});
  require_held(making, value, v.type().dtype);
  const ir::Value filler = making.builder().constant(value.full(v.type().dtype, Shape{}));
  return making.tensor(making.builder().make("pad", {v, filler}, {{"low", low}, {"high", high}}));
}

Tensor take(const Tensor& x, const Tensor& indices, int axis, Where where) {
  const Making making("take", where);
  const std::vector<std::pair<std::string, Tensor>> operands{{"operand", x}, {"indices", indices}};
  const ir::V v = making.value(x), i = index_value(making, indices, "indices", operands);
  const std::int64_t a = making.axis(axis, x);
  require_places(making, v.type().dim(a), i, "axis " + std::to_string(a), operands);
  return making.tensor(making.builder().make("gather", {v, i}, {{"axis", a}}));
}

Tensor scatter_add(const Tensor& x, const Tensor& indices, const Tensor& updates, int axis, Where where) {
  const Making making("scatter_add", where);
  const ir::V v = making.value(x), u = making.value(updates);
  const std::vector<std::pair<std::string, Tensor>> operands{
      {"operand", x}, {"indices", indices}, {"updates", updates}};
  const ir::V i = index_value(making, indices, "indices", operands);
  const std::int64_t a = making.axis(axis, x);
  require_places(making, v.type().dim(a), i, "axis " + std::to_string(a), operands);
  Type wanted = v.type();
  wanted.dims.erase(wanted.dims.begin() + a);
  wanted.dims.insert(wanted.dims.begin() + a, i.type().dims.begin(), i.type().dims.end());
  if (u.type() != wanted)
    making.fail("the updates must be " + wanted.str() + ", as take gives them, not " + u.type().str(), operands);
  return making.tensor(
      v + ir::V{v.b, making.builder().make("scatter_add", {u, i}, {{"axis", a}, {"dims", v.type().dims}})});
}

Tensor one_hot(const Tensor& classes, std::int64_t count, DType dtype, Where where) {
  const Making making("one_hot", where);
  const Tensor indices = making.tensor(index_value(making, classes, "classes", {{"classes", classes}}));
  if (count < 1) making.fail("the number of classes must be at least 1, not " + std::to_string(count));
  const LocationScope scope(where);
  return cast(unsqueeze(indices, -1) == arange(count), dtype);
}

namespace {

Tensor filled(const Making& making, const std::vector<Dim>& dims, const WeakNumber& value, DType dtype) {
  require_held(making, value, dtype);
  making.require_extents(dims);
  return making.tensor(ir::splat(making.builder(), Type{dtype, dims}, value.full(dtype, Shape{})));
}

Tensor counted(const Making& making, const std::vector<Dim>& dims, std::int64_t axis, DType dtype) {
  making.require_extents(dims);
  return making.tensor(making.builder().make("iota", {}, {{"dtype", dtype}, {"dims", dims}, {"axis", axis}}));
}

}  // namespace

Tensor full(const std::vector<Dim>& dims, WeakNumber value, DType dtype, Where where) {
  return filled(Making("full", where), dims, value, dtype);
}
Tensor zeros(const std::vector<Dim>& dims, DType dtype, Where where) {
  return filled(Making("zeros", where), dims, 0, dtype);
}
Tensor ones(const std::vector<Dim>& dims, DType dtype, Where where) {
  return filled(Making("ones", where), dims, 1, dtype);
}

Tensor constant(const Array& value, Where where) {
  const Making making("constant", where);
  return making.tensor(making.builder().constant(value));
}

Tensor iota(const std::vector<Dim>& dims, int axis, DType dtype, Where where) {
  const Making making("iota", where);
  const auto rank = static_cast<int>(dims.size());
  if (axis < -rank || axis >= rank)
    making.fail("axis " + std::to_string(axis) + " of the shape " + dims_text(dims) + " is out of range");
  return counted(making, dims, axis < 0 ? axis + rank : axis, dtype);
}

Tensor arange(const Dim& count, DType dtype, Where where) {
  return counted(Making("arange", where), {count}, 0, dtype);
}

}  // namespace gcompile
