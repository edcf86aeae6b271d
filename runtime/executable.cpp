#include "gcompile/runtime/executable.h"

#include <new>

#include "gcompile/base/error.h"
#include "gcompile/ir/bind_symbols.h"

namespace gcompile::runtime {
namespace {

std::shared_ptr<std::byte> aligned_bytes(std::int64_t bytes) {
  constexpr std::align_val_t kAlignment{64};
  auto* p = static_cast<std::byte*>(::operator new(static_cast<std::size_t>(bytes), kAlignment, std::nothrow));
  if (!p)
    throw MemoryError("no memory for the temporaries of a compiled function, " + std::to_string(bytes) + " bytes");
  return {p, [](std::byte* q) { ::operator delete(q, kAlignment); }};
}

// Marks a running call; the second of two calls at a time is refused.
class Busy {
 public:
  explicit Busy(std::atomic<bool>& flag) : flag_(flag) {
    if (flag_.exchange(true, std::memory_order_acquire))
      throw CallError("a compiled function was called while another call of it was running; compile one per thread");
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;
  ~Busy() { flag_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

Executable::Executable(ir::Program program, NativeCode code, std::vector<Location> input_locations)
    : program_(std::move(program)), code_(std::move(code)), allocate_(aligned_bytes) {
  const auto& buffers = program_.module.buffers;
  pointers_.resize(buffers.size());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const ir::Buffer& b = buffers[i];
    switch (b.role) {
      case ir::BufferRole::kInput:
        inputs_.push_back(
            {b.name, b.type, inputs_.size() < input_locations.size() ? input_locations[inputs_.size()] : Location{}});
        break;
      case ir::BufferRole::kState: {
        if (!b.storage) throw InternalError("state '" + b.name + "' has no storage");
        if (!b.storage->pin_order(b.order))
          throw InternalError("state '" + b.name + "' lies in memory in another order than this code expects");
        pointers_[i] = b.storage->raw();
        break;
      }
      case ir::BufferRole::kResult:
        if (static_cast<int>(i) == program_.status)
          pointers_[i] = &status_;
        else
          results_.push_back(static_cast<int>(i));
        break;
      case ir::BufferRole::kConstant: pointers_[i] = const_cast<void*>(b.data.raw()); break;
      case ir::BufferRole::kTemp: break;
    }
  }
  for (std::size_t i = 0; i < buffers.size(); ++i)
    if (buffers[i].alias >= 0) pointers_[i] = pointers_[static_cast<std::size_t>(buffers[i].alias)];
  bound_.resize(inputs_.size());
  result_shapes_.resize(results_.size());
  dims_.resize(program_.symbols.size());
}

Executable::~Executable() {
  if (profiler_ && report_) report_(profiler_->profile());
}

void Executable::start_profile(std::vector<ProfiledLaunch> launches, ProfileReport report) {
  profiler_ = std::make_unique<Profiler>(program_.module.name, std::move(launches));
  parallel_.clock = profiler_->clock();
  report_ = std::move(report);
  is_bound_ = false;
}

Profile Executable::profile() const {
  if (!profiler_) throw Error("'" + program_.module.name + "' was compiled without a profile");
  return profiler_->profile();
}

void Executable::reset_profile() {
  if (profiler_) profiler_->reset();
}

const Type& Executable::result_type(std::size_t i) const {
  return program_.module.buffers[static_cast<std::size_t>(results_.at(i))].type;
}

void Executable::refuse(std::size_t argument, const Array& given, const std::string& why) const {
  const Input& input = inputs_[argument];
  throw CallError(input.where, "argument " + std::to_string(argument + 1) + " (" + input.name + ") is " +
                                   std::string(name(given.dtype())) + given.shape().str() + ", expected " +
                                   input.type.str() + (why.empty() ? "" : ": " + why));
}

// Symbols that are no extent by themselves, from a multiple of theirs.
void Executable::solve(std::span<const Array* const> arguments, std::map<std::string, std::int64_t>& values,
                       std::map<std::string, std::size_t>& source) const {
  std::vector<Type> types;
  for (const Input& input : inputs_) types.push_back(input.type);
  for (const auto& [symbol, i, axis] : ir::symbol_sources(types)) {
    const std::int64_t given = arguments[i]->shape()[axis];
    if (values.emplace(symbol, ir::symbol_value(types[i].dim(axis), symbol, given, values)).second) source[symbol] = i;
  }
}

// Checks all arguments before anything is changed, then sets symbols, result shapes and the arena.
void Executable::bind(std::span<const Array* const> arguments) {
  std::map<std::string, std::int64_t> values;
  std::map<std::string, std::size_t> source;  // the argument that said so
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Array& a = *arguments[i];
    const Type& t = inputs_[i].type;
    if (a.dtype() != t.dtype) refuse(i, a, "the dtypes differ");
    if (a.rank() != t.rank()) refuse(i, a, "the ranks differ");
    for (int d = 0; d < t.rank(); ++d)
      if (const auto symbol = t.dim(d).as_symbol()) {
        const auto [it, fresh] = values.emplace(*symbol, a.shape()[d]);
        if (fresh) {
          source[*symbol] = i;
        } else if (it->second != a.shape()[d]) {
          const Input& first = inputs_[source[*symbol]];
          refuse(i, a,
                 *symbol + " is " + std::to_string(it->second) + " from argument " + first.name +
                     (first.where.known() ? " (" + first.where.str() + ")" : "") + ", " + std::to_string(a.shape()[d]) +
                     " from argument " + inputs_[i].name +
                     (inputs_[i].where.known() ? " (" + inputs_[i].where.str() + ")" : ""));
        }
      }
  }
  solve(arguments, values, source);
  if (std::all_of(program_.symbols.begin(), program_.symbols.end(),
                  [&](const std::string& s) { return values.count(s) != 0; }))
    ir::check_requirements(program_.module.requirements, values, [&](const std::string& symbol) {
      const Input& from = inputs_[source[symbol]];
      return " from argument " + from.name + (from.where.known() ? " (" + from.where.str() + ")" : "");
    });
  for (const auto& [symbol, value] : values) {
    const auto it = program_.module.bounds.find(symbol);
    const ir::DimBounds bounds = it == program_.module.bounds.end() ? ir::DimBounds{} : it->second;
    if (value < bounds.min || value > bounds.max) {
      const std::size_t i = source[symbol];
      refuse(i, *arguments[i],
             value == 0 ? symbol + " is 0: an empty batch has no mean and no gradient"
                        : symbol + " is " + std::to_string(value) + ", outside " + std::to_string(bounds.min) + " .. " +
                              std::to_string(bounds.max));
    }
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    for (int d = 0; d < inputs_[i].type.rank(); ++d) {
      const Dim& wanted = inputs_[i].type.dim(d);
      for (const std::string& s : wanted.symbols())
        if (!values.count(s)) refuse(i, *arguments[i], "no argument says what " + s + " is");
      const std::int64_t extent = wanted.evaluate(values);
      if (extent != arguments[i]->shape()[d])
        refuse(i, *arguments[i],
               "axis " + std::to_string(d) + " has " + std::to_string(arguments[i]->shape()[d]) +
                   " elements, expected " + std::to_string(extent));
    }

  std::int64_t total = 0;
  const auto offsets = program_.slot_offsets(values, &total, threads());
  if (total > arena_bytes_) {
    arena_ = allocate_(total);
    arena_bytes_ = total;
  }
  for (std::size_t i = 0; i < pointers_.size(); ++i)
    if (const int slot = program_.placements[i].slot; slot >= 0)
      pointers_[i] = arena_.get() + offsets[static_cast<std::size_t>(slot)];
  for (std::size_t i = 0; i < dims_.size(); ++i) dims_[i] = values.at(program_.symbols[i]);
  for (std::size_t i = 0; i < results_.size(); ++i) {
    std::vector<std::int64_t> extents;
    for (const Dim& d : result_type(i).dims) extents.push_back(d.evaluate(values));
    result_shapes_[i] = Shape(extents);
  }
  for (std::size_t i = 0; i < inputs_.size(); ++i) bound_[i] = arguments[i]->shape();
  if (profiler_) profiler_->bind(values);
  is_bound_ = true;
}

void Executable::set_threads(int threads) {
  const Busy busy(busy_);
  parallel_ = parallel_on_pool(threads);
  if (profiler_) parallel_.clock = profiler_->clock();
  is_bound_ = false;  // every thread has temporaries of its own
}

void Executable::set_allocator(Allocate allocate) {
  const Busy busy(busy_);
  allocate_ = std::move(allocate);
  arena_ = nullptr;
  arena_bytes_ = -1;
  is_bound_ = false;
}

void Executable::run(std::span<const Array* const> arguments, std::span<Array> results) {
  const Busy busy(busy_);
  run_alone(arguments, results);
}

void Executable::run_alone(std::span<const Array* const> arguments, std::span<Array> results, bool as_before) {
  if (arguments.size() != inputs_.size())
    throw CallError("called with " + std::to_string(arguments.size()) + " arguments, takes " +
                    std::to_string(inputs_.size()));
  if (results.size() != results_.size())
    throw InternalError("called for " + std::to_string(results.size()) + " results, has " +
                        std::to_string(results_.size()));
  bool same = is_bound_;
  for (std::size_t i = 0; same && !as_before && i < inputs_.size(); ++i)
    same = arguments[i]->dtype() == inputs_[i].type.dtype && arguments[i]->shape() == bound_[i];
  if (!same) bind(arguments);

  // Inputs, states, results, temporaries, constants: inputs are the first buffers.
  for (std::size_t i = 0; i < inputs_.size(); ++i) pointers_[i] = const_cast<void*>(arguments[i]->raw());
  for (std::size_t i = 0; i < results.size(); ++i) {
    Array& r = results[i];
    if (r.dtype() != result_type(i).dtype || !(r.shape() == result_shapes_[i]) || r.shared())
      r = Array::uninitialized(result_type(i).dtype, result_shapes_[i]);
    pointers_[static_cast<std::size_t>(results_[i])] = r.raw();
  }
  check(code_.entry(pointers_.data(), dims_.data(), &parallel_), arguments);
}

// Makes an error of what the code returned, or of the status that it wrote.
void Executable::check(std::int32_t returned, std::span<const Array* const> arguments) {
  trap_ = {};
  if (returned != 0) {
    trap_ = {TrapRecord::Kind::kNative, returned};
    throw CallError("the compiled function '" + program_.module.name + "' stopped with trap " +
                    std::to_string(returned));
  }
  if (status_ == 0) return;
  trap_ = {TrapRecord::Kind::kNaN, status_};
  if (!graph) throw NumericError("a NaN in '" + program_.module.name + "'; nothing was updated");
  const NanReport report = explain_nan(*graph, static_cast<std::size_t>(status_ - 1), arguments);
  trap_.argument = report.argument;
  throw NumericError(report.where, report.text);
}

}  // namespace gcompile::runtime
