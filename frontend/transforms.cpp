#include "gcompile/frontend/transforms.h"

#include <algorithm>
#include <numeric>

#include "gcompile/frontend/functions.h"
#include "gcompile/passes/batch.h"
#include "gcompile/passes/gradient.h"

namespace gcompile {
namespace {

// Two lists of tensors that belong together, one by one.
void require_alike(const Making& making, const std::vector<Tensor>& a, const std::vector<Tensor>& b, const char* what) {
  if (a.size() != b.size())
    making.fail(std::to_string(b.size()) + " " + what + "s for " + std::to_string(a.size()) + " values");
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Type &x = making.value(a[i]).type(), &y = making.value(b[i]).type();
    if (!is_float(x.dtype)) making.fail("a derivative needs floats, not " + x.str(), {{"value", a[i]}});
    if (!(x == y))
      making.fail("the " + std::string(what) + " is " + y.str() + ", the value " + x.str() + "; they must be alike",
                  {{"value", a[i]}, {what, b[i]}});
  }
}

std::vector<ir::Value> or_zeros(const Making& making, std::vector<ir::Value> gradients,
                                const std::vector<ir::Value>& like) {
  for (std::size_t i = 0; i < gradients.size(); ++i)
    if (!gradients[i]) gradients[i] = ir::splat(making.builder(), like[i].type(), 0);
  return gradients;
}

std::vector<Tensor> tensors_of(const Making& making, const std::vector<ir::Value>& values) {
  std::vector<Tensor> tensors;
  for (const ir::Value& v : values) tensors.push_back(making.tensor(v));
  return tensors;
}

// Leaves for cotangents of values.
std::vector<ir::Value> cotangent_leaves(const Making& making, const std::vector<ir::Value>& y) {
  std::vector<Placeholder> list;
  for (const ir::Value& v : y) list.push_back({"cotangent", v.type()});
  return make_placeholders(making, list);
}

// The value with zeros for the leaves, on which, being a derivative by them, it does not depend: but a rule may have
// left something like 0 u.
std::vector<ir::Value> without(const Making& making, const std::vector<ir::Value>& values,
                               const std::vector<ir::Value>& leaves) {
  std::vector<std::pair<std::string, ir::Value>> parameters;
  std::vector<ir::Value> zeros;
  for (const ir::Value& v : leaves) {
    parameters.emplace_back("cotangent", v);
    zeros.push_back(ir::splat(making.builder(), v.type(), 0));
  }
  ir::Closure closure = ir::close_over(making.trace().graph(), values, parameters, "linear");
  zeros.insert(zeros.end(), closure.captured.begin(), closure.captured.end());
  return ir::inline_graph(making.builder(), *closure.body, zeros);
}

// The permutation that moves an axis.
std::vector<std::int64_t> moved(int rank, std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return order;
}

}  // namespace

std::vector<Tensor> vjp(const std::vector<Tensor>& y, const std::vector<Tensor>& u, const std::vector<Tensor>& x,
                        Where where) {
  const Making making("vjp", where);
  require_alike(making, y, u, "cotangent");
  const std::vector<ir::Value> by = values_of(making, x);
  return tensors_of(
      making,
      or_zeros(making, passes::cotangents_of(making.builder(), values_of(making, y), values_of(making, u), by), by));
}
Tensor vjp(const Tensor& y, const Tensor& u, const Tensor& x, Where where) {
  return vjp(std::vector<Tensor>{y}, {u}, {x}, where)[0];
}

std::vector<Tensor> jvp(const std::vector<Tensor>& y, const std::vector<Tensor>& x, const std::vector<Tensor>& v,
                        Where where) {
  const Making making("jvp", where);
  require_alike(making, x, v, "tangent");
  const std::vector<ir::Value> from = values_of(making, x), to = values_of(making, y), along = values_of(making, v);
  const std::vector<ir::Value> leaves = cotangent_leaves(making, to);
  std::vector<ir::Value> given, tangents;
  const std::vector<ir::Value> gradients = passes::cotangents_of(making.builder(), to, leaves, from);
  for (std::size_t i = 0; i < gradients.size(); ++i)
    if (gradients[i]) given.push_back(gradients[i]), tangents.push_back(along[i]);
  const std::vector<ir::Value> made =
      or_zeros(making, passes::cotangents_of(making.builder(), given, tangents, leaves), to);
  return tensors_of(making, without(making, made, leaves));
}
Tensor jvp(const Tensor& y, const Tensor& x, const Tensor& v, Where where) {
  return jvp(std::vector<Tensor>{y}, {x}, {v}, where)[0];
}

Tensor hvp(const Tensor& loss, const Tensor& x, const Tensor& v, Where where) {
  return vjp(grad_or_zeros(loss, x, where), v, x, where);
}

Tensor jacobian(const Tensor& y, const Tensor& x, Where where) {
  const Making making("jacobian", where);
  const ir::Value to = making.value(y), by = making.value(x);
  if (!is_float(to.type().dtype)) making.fail("a derivative needs floats, not " + to.type().str(), {{"value", y}});
  if (!is_float(by.type().dtype)) making.fail("a derivative needs floats, not " + by.type().str(), {{"argument", x}});
  if (!to.type().is_static())
    making.fail("the value is " + to.type().str() +
                    "; a Jacobian has a row for each of its elements, so its extents must "
                    "be constants (vmap a function of one member of the batch)",
                {{"value", y}});
  const std::vector<ir::Value> leaves = cotangent_leaves(making, {to});
  const std::vector<ir::Value> values{to}, wrt{by};
  const ir::Value row = or_zeros(making, passes::cotangents_of(making.builder(), values, leaves, wrt), wrt)[0];
  // The unit vectors of y, one after the other.
  const std::int64_t rows = to.type().shape().size();
  const Tensor number = iota({Dim(rows), Dim(rows)}, 0, DType::kI32, where),
               place = iota({Dim(rows), Dim(rows)}, 1, DType::kI32, where);
  std::vector<Dim> dims = to.type().dims;
  dims.insert(dims.begin(), Dim(rows));
  const Tensor units =
      reshape(cast(Operand(number, where) == Operand(place, where), to.type().dtype, where), dims, where);
  const std::vector<ir::Value> one{row};
  const std::vector<std::pair<ir::Value, ir::Value>> batched{{leaves[0], making.value(units)}};
  const ir::Value all = passes::batch(making.builder(), one, batched, Dim(rows))[0];
  std::vector<Dim> shape = to.type().dims;
  shape.insert(shape.end(), by.type().dims.begin(), by.type().dims.end());
  return making.tensor(ir::reshape({&making.builder(), all}, shape));
}

Tensor hessian(const Tensor& loss, const Tensor& x, Where where) {
  return jacobian(grad_or_zeros(loss, x, where), x, where);
}

std::vector<Tensor> vmap_function(const TensorFunction& f, const std::vector<Tensor>& arguments, const BatchAxes& axes,
                                  Where where) {
  const Making making("vmap", where);
  if (axes.in.size() > arguments.size())
    making.fail(std::to_string(axes.in.size()) + " axes for " + std::to_string(arguments.size()) + " arguments");
  std::vector<Placeholder> members;
  std::vector<std::size_t> batched;
  std::vector<ir::Value> whole;
  std::optional<Dim> size;
  std::size_t first = 0;
  std::vector<Tensor> given = arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const int wanted = i < axes.in.size() ? axes.in[i] : 0;
    if (wanted == BatchAxes::kNone) continue;
    const std::int64_t axis = making.axis(wanted, arguments[i]);
    Type member = making.value(arguments[i]).type();
    const Dim extent = member.dim(axis);
    if (size && !(*size == extent))
      making.fail(
          "the batch has " + size->str() + " members in argument " + std::to_string(first) + " and " + extent.str() +
              " in argument " + std::to_string(i),
          {{"argument " + std::to_string(first), arguments[first]}, {"argument " + std::to_string(i), arguments[i]}});
    if (!size) first = i;
    size = extent;
    const ir::V leading = axis == 0 ? making.value(arguments[i])
                                    : ir::transpose(making.value(arguments[i]), moved(member.rank(), axis, 0));
    member.dims.erase(member.dims.begin() + axis);
    members.push_back({"member", member});
    batched.push_back(i);
    whole.push_back(leading);
  }
  if (!size) making.fail("no argument has a batch");
  const std::vector<ir::Value> leaves = make_placeholders(making, members);
  std::vector<std::pair<ir::Value, ir::Value>> pairs;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    given[batched[i]] = making.tensor(leaves[i]);
    pairs.emplace_back(leaves[i], whole[i]);
  }
  const std::size_t updates = making.trace().update_count();
  const std::vector<Tensor> results = f(given);
  if (making.trace().update_count() != updates)
    making.fail("a state is set in the function; there is one state for all members: return the value, and set the "
                "state to what becomes of it");
  std::vector<Tensor> made =
      tensors_of(making, passes::batch(making.builder(), values_of(making, results), pairs, *size));
  for (Tensor& t : made)
    if (const std::int64_t out = making.axis(axes.out, t); out != 0)
      t = making.tensor(ir::transpose(making.value(t), moved(making.value(t).type().rank(), 0, out)));
  return made;
}

}  // namespace gcompile
