#include "gcompile_fuzz_pool.h"

#include <algorithm>
#include <cmath>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/sample.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"

namespace gcompile::fuzz {
namespace {

using codegen::Bounded;
using ir::Value;

constexpr double kLargest = 1e4;          // of values that are kept
constexpr double kLoose = 1e-3;           // relative error of values that are kept
constexpr double kLoose16 = 0.05;         // of those of 16 bits
constexpr std::int64_t kElements = 1000;  // of a value

double largest_of(const Array& a) {
  double worst = 0;
  if (!is_float(a.dtype())) return 0;  // exact, however large
  for (std::int64_t i = 0; i < a.size(); ++i)
    worst = std::isnan(a.at(i)) ? INFINITY : std::max(worst, std::abs(a.at(i)));
  return worst;
}

}  // namespace

void ValuePool::begin() {
  sample_.data_seed = r_.next();
  const Ints sizes{1, 2, 3, 5, 15, 16, 17, 31, 33, 40};
  if (chance(r_, 60)) {
    lead_ = Dim("N");
    sample_.sizes = {{{"N", pick(r_, sizes)}}, {{"N", pick(r_, sizes)}}};
    sample_.graph.bounds["N"] = {1, 4096};
  } else {
    lead_ = Dim(pick(r_, sizes));
    sample_.sizes = {{}};
  }
  line();
  // One input that has the symbol, whatever else there is.
  leaf("x", {DType::kF32, {lead_, extent()}}, false);
  for (std::int64_t n = between(r_, 0, 3); n > 0; --n) leaf("i", random_type(random_dtype()), false);
  for (std::int64_t n = between(r_, 0, 3); n > 0; --n) {
    Type t = random_type(random_dtype());
    for (Dim& d : t.dims)
      if (!d.is_constant()) d = Dim(extent());
    leaf("s", t, true);
    if (chance(r_, 50)) leaf("s", t, true);
  }
}

void ValuePool::leaf(const std::string& name, const Type& type, bool state) {
  if (size_of_type(type) > kElements) return;
  const Value v = state ? b_.state(name, type, nullptr) : b_.input(name, type);
  const std::string& full = state ? sample_.graph.states.back().name : sample_.graph.inputs.back().name;
  Array value = codegen::sample(type, dims(), sample_.data_seed, full);
  Array none(DType::kF64, value.shape());
  known_[v] = {std::move(value), std::move(none)};
  pool_.push_back(v);
}

Type ValuePool::random_type(DType t) {
  Type type{t, {}};
  const std::int64_t rank = pick(r_, Ints{0, 1, 1, 2, 2, 2, 3});
  for (std::int64_t i = 0; i < rank; ++i) type.dims.push_back(i == 0 && chance(r_, 70) ? lead_ : Dim(extent()));
  return type;
}

DType ValuePool::random_dtype() {
  return pick(r_, std::vector<DType>{DType::kF32, DType::kF32, DType::kF32, DType::kF32, DType::kF64, DType::kF16,
                                     DType::kBF16, DType::kI32, DType::kI32, DType::kI64, DType::kU32, DType::kU8,
                                     DType::kBool});
}

Value ValuePool::like(const Type& type) {
  if (chance(r_, 85))
    if (const auto v = any_where([&](const Type& t) { return t == type; })) return *v;
  if (type.dtype == DType::kBool) return ir::splat(b_, type, static_cast<double>(between(r_, 0, 1)));
  if (chance(r_, 60))  // a smaller one, broadcast
    for (int tries = 0; tries < 12; ++tries)
      if (const auto v = broadcast_to(any(), type)) return *v;
  const double number = static_cast<double>(between(r_, -8, 8)) / (is_float(type.dtype) ? 4 : 1);
  return ir::splat(b_, type, number);
}

std::optional<Value> ValuePool::broadcast_to(Value v, const Type& type) {
  if (v.type().dtype != type.dtype || v.type().rank() >= type.rank()) return std::nullopt;
  Ints axes;
  int next = 0;
  for (const Dim& d : v.type().dims) {
    while (next < type.rank() && !(type.dim(next) == d)) ++next;
    if (next == type.rank()) return std::nullopt;
    axes.push_back(next++);
  }
  return ir::broadcast({&b_, v}, type.dims, axes).v;
}

double ValuePool::largest(Value v) const {
  const auto it = known_.find(v);
  return it == known_.end() ? 0 : largest_of(it->second.value);
}

bool ValuePool::good(const Bounded& b) {
  if (largest_of(b.value) > kLargest) return chance(r_, 3);
  const double loose = is_float16(b.value.dtype()) ? kLoose16 : kLoose;
  for (std::int64_t i = 0; i < b.value.size(); ++i)
    if (b.error.at(i) > loose * (std::abs(b.value.at(i)) + 1)) return chance(r_, 2);
  return true;
}

bool ValuePool::evaluate(Value v) {
  std::vector<const ir::Node*> todo{v.node}, fresh;
  while (!todo.empty()) {
    const ir::Node* n = todo.back();
    todo.pop_back();
    if (known_.count({n, 0}) || std::find(fresh.begin(), fresh.end(), n) != fresh.end()) continue;
    fresh.push_back(n);
    for (const Value& o : n->operands) todo.push_back(o.node);
  }
  std::sort(fresh.begin(), fresh.end(), [](const ir::Node* a, const ir::Node* b) { return a->id < b->id; });
  for (const ir::Node* n : fresh) {
    std::vector<const Bounded*> operands;
    for (const Value& o : n->operands) operands.push_back(&known_.at(o));
    std::vector<Bounded> results = codegen::evaluate_all_with_bounds(*n, operands, dims());
    if (!std::all_of(results.begin(), results.end(), [&](const Bounded& b) { return good(b); })) return false;
    for (std::size_t r = 0; r < results.size(); ++r) known_[{n, static_cast<int>(r)}] = std::move(results[r]);
  }
  return true;
}

bool ValuePool::add(const std::optional<Value>& v) {
  if (!v || size_of_type(v->type()) > kElements || known_.count(*v) || !evaluate(*v)) return false;
  pool_.push_back(*v);
  made_.push_back(*v);
  return true;
}

void ValuePool::must_be_same(Value a, Value b) {
  if (!evaluate(a) || !evaluate(b) || same_bits(known_.at(a).value, known_.at(b).value)) return;
  throw InternalError("two ways to one value give " + known_.at(a).value.str() + " and " + known_.at(b).value.str() +
                      " in\n" + ir::print(sample_.graph));
}

}  // namespace gcompile::fuzz
