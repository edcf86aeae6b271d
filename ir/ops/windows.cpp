// windows: a view of all places of a window that moves along axes; overlapping elements appear several times.
// window_sum, its gradient, adds them up again where they came from.
#include "gcompile/ir/ops/windows.h"

#include <algorithm>

#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"

namespace gcompile::ir {
namespace {

// The windows' axes stand in front of the first axis along which they move.
struct Places {
  const Ints &axes, &strides, &dilations;
  std::size_t first, count;

  explicit Places(const Node& n)
      : axes(n.attrs.ints("axes")), strides(n.attrs.ints("strides")), dilations(n.attrs.ints("dilations")),
        first(static_cast<std::size_t>(axes[0])), count(axes.size()) {}

  // Where axis a of the elements is among the axes of the windows.
  std::size_t moved(std::int64_t a) const { return static_cast<std::size_t>(a) + count; }

  // The index of an element for one into the windows.
  template <class Indices>
  Indices element(const Indices& at) const {
    using Entry = typename Indices::value_type;
    Indices from(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(first));
    from.insert(from.end(), at.begin() + static_cast<std::ptrdiff_t>(first + count), at.end());
    for (std::size_t i = 0; i < count; ++i)
      from[static_cast<std::size_t>(axes[i])] =
          at[moved(axes[i])] * Entry(strides[i]) + at[first + i] * Entry(dilations[i]);
    return from;
  }
};

// Checks the attributes that both ops have, and gives the type of the windows of a value.
Type windows_of(const InferContext& c, const Type& x, const Dims& sizes) {
  const Ints& axes = axes_attribute(c, "axes", x.rank(), true);
  if (axes.empty()) c.fail("needs at least one axis to move along");
  if (sizes.size() != axes.size())
    c.fail(std::to_string(sizes.size()) + " sizes of windows for " + std::to_string(axes.size()) + " axes of " +
           x.str());
  Dims extents;
  for (const std::int64_t a : axes) extents.push_back(x.dim(a));
  const Dims moved = moved_extents(c, extents, sizes);
  Type t = x;
  for (std::size_t i = 0; i < axes.size(); ++i) t.dims[static_cast<std::size_t>(axes[i])] = moved[i];
  t.dims.insert(t.dims.begin() + axes[0], sizes.begin(), sizes.end());
  check_dims(c, t.dims);
  return t;
}

std::vector<Type> infer_windows(const InferContext& c) {
  only_attributes(c, {"axes", "sizes", "strides", "dilations"});
  return {windows_of(c, c.operands[0], attribute<Dims>(c, "sizes"))};
}

std::vector<Type> infer_window_sum(const InferContext& c) {
  only_attributes(c, {"axes", "strides", "dilations", "dims"});
  admit_dtype(c);
  const Type t{c.operands[0].dtype, attribute<Dims>(c, "dims")};
  check_dims(c, t.dims);
  const Ints& axes = axes_attribute(c, "axes", t.rank(), true);
  const Type& g = c.operands[0];
  if (g.rank() != t.rank() + static_cast<int>(axes.size()))
    c.fail("takes windows of " + t.str() + " along " + std::to_string(axes.size()) + " axes, got " + g.str());
  Dims sizes;
  for (std::size_t i = 0; i < axes.size(); ++i) sizes.push_back(g.dim(axes[0] + static_cast<std::int64_t>(i)));
  const Type wanted = windows_of(c, t, sizes);
  if (!(g == wanted)) c.fail("the windows of " + t.str() + " are " + wanted.str() + ", not " + g.str());
  return {t};
}

std::vector<Array> eval_windows(const EvalContext& c) {
  const Places places(c.node);
  return {rearranged(c.operands[0], c.shape(), [&](const Position& at) { return places.element(at); })};
}

// Floats are summed in double and rounded once, integers wrap around.
std::vector<Array> eval_window_sum(const EvalContext& c) {
  const Places places(c.node);
  const Array& g = c.operands[0];
  const Shape shape = c.shape();
  std::vector<Accumulator> sums(static_cast<std::size_t>(shape.size()));
  std::int64_t from = 0;
  for_each_index(g.shape(), [&](const Position& at) {
    sums[static_cast<std::size_t>(flat_index(shape, places.element(at)))].add(g, from++);
  });
  Array out = Array::uninitialized(c.dtype(), shape);
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i].write(out, static_cast<std::int64_t>(i));
  return {out};
}

constexpr std::int64_t kFewElements = 16;  // of a window; kernels have their places one by one

// Elements whose distance is a stride are numbers k, k + stride / dilation, ... of the windows that hold them.
Ints steps_of_window_sum(const Node& n) {
  const Places places(n);
  Ints steps(n.types[0].dims.size(), 1);
  for (std::size_t i = 0; i < places.count; ++i) steps[static_cast<std::size_t>(places.axes[i])] = places.strides[i];
  return steps;
}

// Of all windows that hold the element, that in which it is number k of the window, where there is one; k ascending.
Expr lower_window_sum(ElementContext& e, const Node& n, const Index& at) {
  const Places places(n);
  const Dims& windows = n.operands[0].type().dims;
  const DType dtype = n.types[0].dtype;
  const Dims sizes(windows.begin() + static_cast<std::ptrdiff_t>(places.first),
                   windows.begin() + static_cast<std::ptrdiff_t>(places.first + places.count));
  const auto number = [&](std::int64_t x) { return e.literal(DType::kI32, static_cast<double>(x)); };
  const auto with = [&](const Index& k, const std::vector<Expr>& sum) -> std::vector<Expr> {
    Index from = at;
    from.insert(from.begin() + static_cast<std::ptrdiff_t>(places.first), k.begin(), k.end());
    Expr inside;
    std::vector<Expr> values;
    const auto also = [&](Expr condition) { inside = inside ? e.op("and", {inside, condition}) : condition; };
    for (std::size_t i = 0; i < places.count; ++i) {
      const std::size_t axis = places.moved(places.axes[i]);
      const Dim begin = from[axis] - k[i] * Dim(places.dilations[i]);  // of the window
      Expr place = e.index(begin);
      const Dim exact = floordiv(begin, places.strides[i]), rest = begin - exact * Dim(places.strides[i]);
      if (rest.is_constant() && rest.constant() != 0) return sum;  // it is this number of no window
      if (rest.is(0)) {
        from[axis] = exact;
        place = e.index(exact);
      } else {
        const Expr stride = number(places.strides[i]), quotient = e.op("floor_div", {place, stride});
        also(e.op("eq", {e.op("mul", {quotient, stride}), place}));
        from[axis] = Dim("$" + std::to_string(values.size()));
        values.push_back(place = quotient);
      }
      also(e.op("ge", {place, number(0)}));
      also(e.op("lt", {place, e.index(windows[axis])}));
    }
    const Expr x = e.guarded(
        inside, [&] { return e.element_at(n.operands[0], from, values); }, e.literal(dtype, 0));
    return {e.op("add", {sum[0], x})};
  };
  std::int64_t count = 1;
  for (const Dim& d : sizes)
    count = d.is_constant() && d.constant() <= kFewElements ? count * d.constant() : INT64_MAX / 32;
  if (count > kFewElements) return e.fold(sizes, {e.literal(dtype, 0)}, with)[0];
  std::vector<Expr> sum{e.literal(dtype, 0)};
  Index k(sizes.size(), Dim(0));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i;
    for (std::size_t a = sizes.size(); a-- > 0; rest /= sizes[a].constant()) k[a] = Dim(rest % sizes[a].constant());
    sum = with(k, sum);
  }
  return sum[0];
}

Values windows_rule(VjpContext& c) {
  Attrs attrs = {{"axes", c.node.attrs.ints("axes")},
                 {"strides", c.node.attrs.ints("strides")},
                 {"dilations", c.node.attrs.ints("dilations")},
                 {"dims", c.operand(0).type().dims}};
  return {c.b.make("window_sum", {c.cotangent()}, attrs)};
}

Values window_sum_rule(VjpContext& c) {
  const Places places(c.node);
  const Dims& windows = c.operand(0).type().dims;
  const auto begin = windows.begin() + static_cast<std::ptrdiff_t>(places.first);
  return {c.b.make("windows", {c.cotangent()},
                   {{"axes", places.axes},
                    {"sizes", Dims(begin, begin + static_cast<std::ptrdiff_t>(places.count))},
                    {"strides", places.strides},
                    {"dilations", places.dilations}})};
}

// Of the type of the elements that windows move along.
std::vector<Need> windows_needs(const Node& n, const Type& elements) {
  const Places places(n);
  const Dims& windows = (n.types[0].rank() > elements.rank() ? n.types[0] : n.operands[0].type()).dims;
  const auto begin = windows.begin() + static_cast<std::ptrdiff_t>(places.first);
  Dims extents;
  for (const std::int64_t a : places.axes) extents.push_back(elements.dim(a));
  return room_for_windows(n, extents, {begin, begin + static_cast<std::ptrdiff_t>(places.count)});
}

AxisMap windows_axes(const Node& n) {
  const Places places(n);
  AxisMap map;
  for (int a = 0; a < n.operands[0].type().rank(); ++a)
    if (!std::binary_search(places.axes.begin(), places.axes.end(), a))
      map.related.push_back({0, a, a < places.axes[0] ? a : static_cast<int>(places.moved(a))});
  return map;
}

AxisMap window_sum_axes(const Node& n) {
  const Places places(n);
  AxisMap map;
  for (int a = 0; a < n.types[0].rank(); ++a)
    if (!std::binary_search(places.axes.begin(), places.axes.end(), a))
      map.related.push_back({0, a < places.axes[0] ? a : static_cast<int>(places.moved(a)), a});
  return map;
}

}  // namespace

Dims moved_extents(const InferContext& c, const Dims& extents, const Dims& windows) {
  const Ints &strides = attribute<Ints>(c, "strides"), &dilations = attribute<Ints>(c, "dilations");
  for (const auto& [key, list] : {std::pair("strides", &strides), std::pair("dilations", &dilations)}) {
    if (list->size() != windows.size())
      c.fail(std::string(key) + " has " + std::to_string(list->size()) + " entries, the window moves along " +
             std::to_string(windows.size()) + " axes (" + operand_list(c) + ")");
    for (const std::int64_t s : *list)
      if (s < 1) c.fail(std::string(key) + " must be positive, not " + std::to_string(s));
  }
  Dims moved;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (windows[i].is_constant() && windows[i].constant() < 1)
      c.fail("a window must have elements, not an extent of " + windows[i].str());
    const Dim span = (windows[i] - Dim(1)) * Dim(dilations[i]) + Dim(1), room = extents[i] - span;
    if (room.is_constant() && room.constant() < 0)
      c.fail("a window of " + windows[i].str() + (dilations[i] > 1 ? ", which spans " + span.str() + "," : "") +
             " does not fit into an axis of " + extents[i].str() + " (" + operand_list(c) + ")");
    moved.push_back(floordiv(room, strides[i]) + Dim(1));
  }
  return moved;
}

std::vector<Need> room_for_windows(const Node& n, const Dims& extents, const Dims& windows) {
  const Ints& dilations = n.attrs.ints("dilations");
  std::vector<Need> needs;
  for (std::size_t i = 0; i < windows.size(); ++i)
    needs.push_back({extents[i] - ((windows[i] - Dim(1)) * Dim(dilations[i]) + Dim(1)), 0,
                     "a window of " + windows[i].str() + " moves along " + extents[i].str() + " elements"});
  return needs;
}

std::vector<OpDef> window_ops() {
  OpDef view;
  view.name = "windows";
  view.arity = 1;
  view.traits = kView;
  view.infer = infer_windows;
  view.vjp = windows_rule;
  view.eval = eval_windows;
  view.lower = ViewLowering{[](const Node& n, const Index& at) { return Places(n).element(at); }};
  view.needs = [](const Node& n) { return windows_needs(n, n.operands[0].type()); };
  view.axes = windows_axes;
  view.batch = [](BatchContext& c) -> Values {
    return {remade(c, {c.operand(0)}, "axes", behind(c.node.attrs.ints("axes")))};
  };
  view.tolerance = 0;
  view.doc = "All places of a window that moves along axes by strides, its elements dilations apart; the window's axes "
             "stand in front of the first of them.";
  view.signature = "windows(x: T[.., A.., ..]) {axes, sizes, strides, dilations} -> T[.., sizes.., .., ..]";
  view.on_nan = OnNan::kDropped;
  OpDef sum = view;
  sum.name = "window_sum";
  sum.traits = kFolding | kOwnLoops;
  sum.infer = infer_window_sum;
  sum.vjp = window_sum_rule;
  sum.eval = eval_window_sum;
  sum.lower = CustomLowering{lower_window_sum, steps_of_window_sum};
  sum.needs = [](const Node& n) { return windows_needs(n, n.types[0]); };
  sum.axes = window_sum_axes;
  sum.batch = [](BatchContext& c) -> Values {
    Attrs attrs = c.node.attrs;
    attrs.set("axes", behind(attrs.ints("axes")));
    attrs.set("dims", with_batch(c, attrs.dims("dims")));
    return {c.b.make("window_sum", {c.operand(0)}, attrs)};
  };
  sum.dtypes = kNumbers;
  sum.doc =
      "The elements of windows added up where they came from, in ascending order of their position in the window.";
  sum.signature = "window_sum(windows: T[.., sizes.., .., ..]) {axes, strides, dilations, dims} -> T[dims]";
  sum.on_nan = OnNan::kByTraits;
  sum.error = summed_error;
  return {view, sum};
}

}  // namespace gcompile::ir
