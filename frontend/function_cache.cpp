#include "gcompile/frontend/function_cache.h"

#include "gcompile/codegen/compile.h"
#include "gcompile/frontend/trace.h"
#include "gcompile/ir/bind_symbols.h"
#include "gcompile/passes/specialize.h"
#include "gcompile/runtime/thread_pool.h"

namespace gcompile {

void Argument::take(DType dtype) const {
  if (array_ || own_->dtype() == dtype) return;
  if (!number_->fits(dtype))
    throw CallError(Location::from(where_), "the number " + number_->str() + " is given for a parameter of " +
                                                std::string(gcompile::name(dtype)) + ": " + WeakNumber::held_by(dtype));
  own_ = number_->full(dtype, {});
}

std::string Program::dump(const std::string& stage) const {
  if (!executable_->dump) throw Error("this program was compiled without dumps");
  return executable_->dump(stage);
}

namespace detail {

namespace {

const char kBatch[] = "N";

// What the shapes say of symbols.
std::map<std::string, std::int64_t> bound_symbols(const std::vector<Type>& types, const std::vector<Shape>& shapes) {
  std::map<std::string, std::int64_t> values;
  ir::bind_symbols(types, shapes, values);
  return values;
}

// Whether the leading extents of all arguments that have one are 1.
bool is_batch_of_one(std::span<const Argument* const> arguments) {
  bool any = false;
  for (const Argument* argument : arguments) {
    const Array& a = argument->array();
    if (a.rank() == 0) continue;
    if (a.shape()[0] != 1) return false;
    any = true;
  }
  return any;
}

int threads_of(const JitOptions& options) {
  if (options.threads < 0 || options.threads > runtime::ThreadPool::kMostThreads)
    throw CallError("'" + options.name + "': threads is " + std::to_string(options.threads) + ", it must be in 0 .. " +
                    std::to_string(runtime::ThreadPool::kMostThreads) + " (0: all cores)");
  return options.threads == 0 ? runtime::ThreadPool::hardware_threads() : options.threads;
}

}  // namespace

FunctionCache::FunctionCache(Body body, std::size_t result_count, const JitOptions& options, Batch batch,
                             std::vector<std::string> names)
    : body_(std::move(body)), result_count_(result_count), options_(options.named("main")), batch_(batch),
      names_(std::move(names)) {}

FunctionCache::FunctionCache(Body body, std::size_t result_count, const JitOptions& options,
                             const std::vector<TensorSpec>& specs, Where where)
    : body_(std::move(body)), result_count_(result_count), options_(options.named("main")), declared_(true) {
  last_ = &compile(specs, std::vector<Where>(specs.size(), where));
}

void FunctionCache::enter(std::span<const Argument* const> arguments) {
  if (busy_.exchange(true, std::memory_order_acquire))
    throw CallError(arguments.empty() ? Location{} : Location::from(arguments[0]->where()),
                    "'" + options_.name +
                        "' is called while another call of it runs: calls of one compiled function "
                        "are exclusive; give each thread a function of its own");
}

bool FunctionCache::fits(const Variant& variant, std::span<const Argument* const> arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Array& a = arguments[i]->array();
    const Type& t = variant.types[i];
    if (a.dtype() != t.dtype || a.rank() != t.rank()) return false;
    for (int axis = 0; axis < t.rank(); ++axis) {
      const Dim& d = t.dim(axis);
      if (d.is_constant() && d.constant() != a.shape()[axis]) return false;
    }
  }
  return !variant.any_batch || !is_batch_of_one(arguments);
}

bool FunctionCache::is_as_before(const Variant& variant, std::span<const Argument* const> arguments) {
  if (!variant.has_run || arguments.size() != variant.types.size()) return false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Array& a = arguments[i]->array();
    if (a.dtype() != variant.types[i].dtype || !(a.shape() == variant.shapes[i])) return false;
  }
  return true;
}

FunctionCache::Variant& FunctionCache::find(std::span<const Argument* const> arguments) {
  if (declared_) return *last_;
  for (const auto& v : variants_)
    if (fits(*v, arguments)) return *v;
  std::vector<TensorSpec> specs;
  std::vector<Where> where;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Array& a = arguments[i]->array();
    TensorSpec spec{Type::of(a.dtype(), a.shape())};
    if (i < names_.size()) spec.name = names_[i];
    if (batch_ != Batch::kStatic && a.rank() > 0) spec.type.dims[0] = Dim(kBatch);
    specs.push_back(std::move(spec));
    where.push_back(arguments[i]->where());
  }
  return compile(specs, where, batch_ != Batch::kStatic && is_batch_of_one(arguments));
}

FunctionCache::Variant& FunctionCache::compile(const std::vector<TensorSpec>& specs, std::span<const Where> where,
                                               bool one) {
  codegen::CompileOptions options;
  if (!options_.target.empty()) options.target = codegen::target_named(options_.target);
  if (options_.verify_each) options.verify_each = true;
  options.check_nan = options_.check == Check::NaN;
  options.cache = options_.cache;
  options.threads = threads_of(options_);
  options.profile = options_.profile;
  options.debug_info = options_.debug_info;
  options.memory_budget = options_.memory_budget;
  auto variant = std::make_unique<Variant>();
  Trace trace(options_.name);
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const std::string name = specs[i].name.empty() ? "x" + std::to_string(i) : specs[i].name;
    inputs.push_back(trace.input(name, specs[i].type, where[i]));
  }
  const std::vector<Tensor> results = body_(inputs);
  if (batch_ == Batch::kSymbolicNonempty) trace.require_nonempty(kBatch);
  ir::Graph graph = trace.finish(results, where.empty() ? Where() : where[0]);
  // Traced like every other batch: so what the function may do does not depend on the extent.
  if (one) graph = passes::specialize(graph, {{kBatch, 1}});
  for (const ir::Graph::Input& input : graph.inputs) variant->types.push_back(input.value.type());
  variant->any_batch = batch_ != Batch::kStatic && !one;
  variant->executable = codegen::compile(graph, options);
  variant->executable->set_threads(threads_of(options_));
  variant->shapes.resize(specs.size());
  variant->slots.assign(kSlots, std::vector<Array>(result_count_));
  variants_.push_back(std::move(variant));
  return *variants_.back();
}

// The slots are tried from the one after the last used: while a caller holds the last result, or a few, none is copied.
std::vector<Array>& FunctionCache::free_slot(Variant& variant) const {
  for (std::size_t tried = 0; tried < kSlots; ++tried) {
    std::vector<Array>& slot = variant.slots[variant.next_slot];
    bool shared = false;
    for (const Array& a : slot) shared |= a.shared();
    if (!shared) return slot;
    variant.next_slot = (variant.next_slot + 1) % kSlots;
  }
  return variant.slots[variant.next_slot];
}

std::span<const Array> FunctionCache::run(std::span<const Argument* const> arguments) {
  const bool as_before = last_ && is_as_before(*last_, arguments);
  if (!as_before && (!last_ || declared_ || !fits(*last_, arguments))) last_ = &find(arguments);
  Variant& v = *last_;
  constexpr std::size_t kMostArguments = 16;
  const Array* pointers[kMostArguments];
  if (arguments.size() > kMostArguments || arguments.size() != v.types.size())
    throw CallError("'" + options_.name + "' takes " + std::to_string(v.types.size()) + " arguments, at most " +
                    std::to_string(kMostArguments) + ", and got " + std::to_string(arguments.size()));
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (declared_) arguments[i]->take(v.types[i].dtype);
    pointers[i] = &arguments[i]->array();
    if (!as_before) v.shapes[i] = pointers[i]->shape();
  }
  // What is refused is no call before.
  v.has_run = false;
  std::vector<Array>& slot = free_slot(v);
  // The executable knows the line of the call that it was compiled for; the call at hand is the one to look at.
  try {
    v.executable->run_alone({pointers, arguments.size()}, slot, as_before);
  } catch (const CallError& e) {
    if (arguments.empty()) throw;
    throw CallError(Location::from(arguments[0]->where()), e.message());
  } catch (const NumericError& e) {
    const int argument = v.executable->trap().argument;
    if (argument < 0) throw;
    throw NumericError(Location::from(arguments[static_cast<std::size_t>(argument)]->where()), e.message());
  }
  v.has_run = true;
  return slot;
}

Program FunctionCache::program(const Variant& variant) const {
  return {variant.executable, bound_symbols(variant.types, variant.shapes)};
}

Program FunctionCache::compiled() const {
  if (!last_) throw Error("'" + options_.name + "' has not been compiled yet: call it, or compiled(arguments...)");
  return program(*last_);
}

Program FunctionCache::compiled(std::span<const Argument* const> arguments) {
  const Busy busy(*this, arguments);
  Variant& v = find(arguments);
  for (std::size_t i = 0; i < arguments.size(); ++i) v.shapes[i] = arguments[i]->array().shape();
  v.has_run = false;
  return program(v);
}

}  // namespace detail
}  // namespace gcompile
