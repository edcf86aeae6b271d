// The rules of kernel modules; see kernel.h for what they mean.
#include <algorithm>
#include <cmath>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/check.h"
#include "gcompile/ir/print.h"
#include "gcompile/ir/regions.h"

namespace gcompile::ir {
namespace {

using Symbols = std::set<std::string>;

struct Found {
  KernelFault fault;
};

std::string quoted(const std::string& name) { return "'" + name + "'"; }

// What an instruction may access: a buffer or a scratch.
struct Memory {
  DType dtype;
  std::vector<Dim> extents;
  bool writable;
  bool given = false;  // to the step of a region
};

class KernelChecker {
 public:
  KernelChecker(const KernelModule& module, const Kernel& kernel, const Symbols& symbols,
                const std::set<std::string>& given, int number, int* instructions)
      : kernel_(kernel), symbols_(symbols), number_(number), count_(*instructions),
        types_(static_cast<std::size_t>(std::max(kernel.values, 0))), state_(types_.size(), State::kUnknown) {
    for (const Buffer& b : module.buffers) {
      const bool writable = b.role == BufferRole::kResult || b.role == BufferRole::kTemp;
      memories_.emplace(b.name, Memory{b.type.dtype, b.type.dims, writable, given.count(b.name) > 0});
    }
  }

  void run() {
    for (const Scratch& s : kernel_.scratch) {
      if (!memories_.emplace(s.name, Memory{s.dtype, {s.extents.begin(), s.extents.end()}, true}).second)
        fail("scratch " + quoted(s.name) + " has the name of another memory");
      for (const std::int64_t e : s.extents)
        if (e < 0) fail("scratch " + quoted(s.name) + " has a negative extent");
    }
    check_block(kernel_.body);
  }

 private:
  enum class State : std::uint8_t { kUnknown, kVisible, kGone };

  [[noreturn]] void fail(const std::string& message) const {
    throw Found{{at_, number_, "kernel @" + kernel_.name + ": " + message}};
  }

  const Memory& memory(const std::string& name) const {
    const auto it = memories_.find(name);
    if (it == memories_.end()) fail("no memory is named " + quoted(name));
    return it->second;
  }
  const Memory& written(const std::string& name) const {
    const Memory& m = memory(name);
    if (!m.writable) fail(quoted(name) + " is written, but is no result, temp or scratch");
    if (m.given) fail(quoted(name) + " is written, but is what a step is given");
    return m;
  }

  VType use(int id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= types_.size())
      fail("value " + std::to_string(id) + " is out of range");
    const State s = state_[static_cast<std::size_t>(id)];
    if (s != State::kVisible)
      fail("value " + std::to_string(id) +
           (s == State::kGone ? " is used outside its block" : " is used before it is defined"));
    return types_[static_cast<std::size_t>(id)];
  }
  void define(int id, VType type) {
    if (id < 0 || static_cast<std::size_t>(id) >= types_.size())
      fail("value " + std::to_string(id) + " is out of range");
    if (state_[static_cast<std::size_t>(id)] != State::kUnknown)
      fail("value " + std::to_string(id) + " is defined twice");
    state_[static_cast<std::size_t>(id)] = State::kVisible;
    types_[static_cast<std::size_t>(id)] = type;
    scope_.push_back(id);
  }
  void leave(std::size_t outside) {
    for (; scope_.size() > outside; scope_.pop_back()) state_[static_cast<std::size_t>(scope_.back())] = State::kGone;
  }

  // Known symbols only; `lane` and "$k" below `operands` where they may be. Returns whether lane is used.
  bool check_dim(const Dim& d, bool lane_allowed, std::size_t operands = 0) const {
    bool lane = false;
    for (const std::string& s : d.symbols()) {
      if (s == kLaneSymbol && lane_allowed) {
        lane = true;
      } else if (s[0] == '$') {
        const auto is_operand = [&](std::size_t k) { return s == "$" + std::to_string(k); };
        bool found = false;
        for (std::size_t k = 0; k < operands && !found; ++k) found = is_operand(k);
        if (!found) fail(s + " in " + d.str() + " stands for no operand");
      } else if (!symbols_.count(s) && !vars_.count(s)) {
        fail(s == kLaneSymbol
                 ? "lane cannot be used in " + d.str()
                 : "the symbol " + s + " in " + d.str() + " is no symbol of the module and no loop variable");
      }
    }
    return lane;
  }
  bool check_index(const Index& index, const Memory& m, const std::string& name, std::size_t operands) const {
    if (index.size() != m.extents.size() && index.size() != 1)
      fail(quoted(name) + " of rank " + std::to_string(m.extents.size()) + " is accessed with " +
           std::to_string(index.size()) + " indices");
    bool lane = false;
    for (const Dim& d : index) lane |= check_dim(d, true, operands);
    return lane;
  }
  void check_mask(int mask, bool lanes) const {
    if (mask < 0) return;
    const VType t = use(mask);
    if (t.dtype != DType::kBool) fail("the mask is " + t.str() + ", not bool");
    if (t.lanes && !lanes) fail("a scalar access has a mask of lanes");
  }
  void want(const VType& found, const VType& wanted, const std::string& what) const {
    if (found != wanted) fail("the type of " + what + " is " + found.str() + ", it must be " + wanted.str());
  }
  // A scalar is splat where lanes are wanted.
  void want_splat(const VType& found, const VType& wanted, const std::string& what) const {
    if (found.dtype != wanted.dtype || (found.lanes && !wanted.lanes))
      fail("the type of " + what + " is " + found.str() + ", it must be " + wanted.str());
  }

  void check_block(const Block& block) {
    const std::size_t outside = scope_.size();
    for (const Instr& i : block) check(i);
    leave(outside);
  }

  void check(const Instr& i) {
    at_ = count_++;
    const bool has_result = i.opcode == Opcode::kOp || i.opcode == Opcode::kLiteral || i.opcode == Opcode::kIndex ||
                            i.opcode == Opcode::kLoad;
    if (i.opcode != Opcode::kFor && i.results.size() != (has_result ? 1u : 0u))
      fail("an instruction has " + std::to_string(i.results.size()) + " results");
    if (i.where >= static_cast<int>(kernel_.locations.size())) fail("a location is out of range");
    switch (i.opcode) {
      case Opcode::kOp: check_op(i); break;
      case Opcode::kLiteral: check_literal(i); break;
      case Opcode::kIndex:
        if (i.index.size() != 1) fail("index has " + std::to_string(i.index.size()) + " expressions");
        want(i.type, {i.type.dtype == DType::kI64 ? DType::kI64 : DType::kI32, check_dim(i.index[0], true)}, "index");
        break;
      case Opcode::kLoad: check_load(i); break;
      case Opcode::kStore: check_store(i); break;
      case Opcode::kFor: check_for(i); break;
      case Opcode::kLaneReduce: check_lane_reduce(i); break;
      case Opcode::kLoadTransposed:
      case Opcode::kStoreTransposed: check_transposed(i); break;
      case Opcode::kPrefetch:
        if (check_index(i.index, memory(i.memory), i.memory, 0)) fail("prefetch takes no lanes");
        break;
      case Opcode::kContract: check_contract(i); break;
    }
    if (has_result) define(i.results[0], i.type);
  }

  void check_op(const Instr& i) const {
    if (!i.op || !(i.op->is(kElementwise) || i.op->is(kKernelOnly))) fail("an instruction is no elementwise op");
    const std::string op_name(i.op->name);
    if (i.op->arity >= 0 && i.operands.size() != static_cast<std::size_t>(i.op->arity))
      fail(op_name + " takes " + std::to_string(i.op->arity) + " operands, got " + std::to_string(i.operands.size()));
    bool lanes = false;
    std::vector<Type> scalars;
    for (const int id : i.operands) {
      const VType t = use(id);
      lanes |= t.lanes;
      scalars.push_back({t.dtype, {}});
    }
    Attrs attrs;  // only conversions have one, and the instruction's type says which dtype
    if (i.op->is(kConversion)) attrs.set("dtype", i.type.dtype);
    std::string refusal;
    VType wanted;
    try {
      wanted = {i.op->infer(InferContext{*i.op, scalars, attrs, {}}).at(0).dtype, lanes};
    } catch (const Error& e) {
      refusal = e.what();
    }
    if (!refusal.empty()) fail(refusal);
    want(i.type, wanted, op_name);
  }

  void check_literal(const Instr& i) const {
    if (is_float(i.type.dtype)) return;
    const IntegerRange range = range_of(i.type.dtype);  // 2^63 stands for the greatest i64, see kernel.h
    const bool fits = std::nearbyint(i.literal) == i.literal && i.literal >= static_cast<double>(range.min) &&
                      i.literal <= static_cast<double>(range.max);
    if (!fits) fail("literal " + std::to_string(i.literal) + " is no " + std::string(name(i.type.dtype)));
  }

  // What stands for "$k" in an index; returns whether it has lanes.
  bool check_index_operand(int id, const char* what) const {
    const VType t = use(id);
    if (t.dtype != DType::kI32) fail("an operand of " + std::string(what) + " is " + t.str() + ", not i32");
    return t.lanes;
  }
  void check_load(const Instr& i) const {
    const Memory& m = memory(i.memory);
    bool lanes = check_index(i.index, m, i.memory, i.operands.size());
    for (const int id : i.operands) lanes |= check_index_operand(id, "load");
    if (i.mask >= 0) lanes |= use(i.mask).lanes;
    check_mask(i.mask, lanes);
    want(i.type, {m.dtype, lanes}, "load");
  }

  void check_store(const Instr& i) const {
    const Memory& m = written(i.memory);
    if (i.operands.empty()) fail("store has no value");
    bool lanes = check_index(i.index, m, i.memory, i.operands.size() - 1);
    for (std::size_t k = 1; k < i.operands.size(); ++k) lanes |= check_index_operand(i.operands[k], "store");
    want_splat(use(i.operands[0]), {m.dtype, lanes}, "the value stored to " + quoted(i.memory));
    check_mask(i.mask, lanes);
  }

  void check_var(const std::string& var) const {
    if (!is_identifier(var) || var == kLaneSymbol || is_dim_function(var))
      fail(quoted(var) + " cannot be the name of a loop variable");
    if (symbols_.count(var) || vars_.count(var))
      fail("loop variable " + var + " has the name of a symbol or of a loop around it");
  }

  void check_for(const Instr& i) {
    const std::size_t n = i.types.size();
    if (i.operands.size() != n || i.arguments.size() != n || i.yields.size() != n || i.results.size() != n)
      fail("loop " + i.var + " has unequal numbers of initial, carried, yielded and resulting values");
    check_var(i.var);
    check_dim(i.extent, false);
    for (std::size_t k = 0; k < n; ++k) want_splat(use(i.operands[k]), i.types[k], "an initial value of loop " + i.var);
    const std::size_t outside = scope_.size();
    const int here = at_;
    vars_.insert(i.var);
    for (std::size_t k = 0; k < n; ++k) define(i.arguments[k], i.types[k]);
    for (const Instr& inner : i.body) check(inner);
    at_ = here;
    for (std::size_t k = 0; k < n; ++k) want_splat(use(i.yields[k]), i.types[k], "a value yielded by loop " + i.var);
    vars_.erase(i.var);
    leave(outside);
    for (std::size_t k = 0; k < n; ++k) define(i.results[k], i.types[k]);
  }

  void check_contract(const Instr& i) {
    if (i.arguments.size() != 1 || i.types.size() != 1) fail("a contract has no sum");
    for (const auto* axes : {&i.axes, &i.sums})
      for (const Axis& a : *axes) check_dim(a.extent, false);
    for (const auto* axes : {&i.axes, &i.sums})
      for (const Axis& a : *axes) {
        check_var(a.var);
        vars_.insert(a.var);
      }
    const VType type = i.types[0];
    if (type.lanes || type.dtype == DType::kBool) fail("a contract sums " + type.str());
    const bool fixed =
        i.sums.size() == 1 && i.sums[0].extent.is_constant() && i.sums[0].extent.constant() >= i.partials;
    const bool known = i.partials == 1 || i.partials == 2 || i.partials == 4;
    if (!known || (i.partials > 1 && !fixed))
      fail("a contract has " + std::to_string(i.partials) +
           " partial sums: 2 or 4, over one axis of a constant extent that is no smaller, are expected");
    for (const Access* a : {&i.left, &i.right}) {
      const Memory& m = memory(a->memory);
      want({m.dtype, check_index(a->index, m, a->memory, 0)}, type, "the operand " + quoted(a->memory));
    }
    for (const Axis& a : i.sums) vars_.erase(a.var);
    const std::size_t outside = scope_.size();
    define(i.arguments[0], type);
    const int here = at_;
    for (const Instr& inner : i.body) {
      check(inner);
      check_epilogue(inner, i);
    }
    at_ = here;
    leave(outside);
    for (const Axis& a : i.axes) vars_.erase(a.var);
  }

  // What may be done with one element of a contract.
  void check_epilogue(const Instr& i, const Instr& contract) const {
    const bool stores = i.opcode == Opcode::kStore && i.operands.size() == 1;
    const bool makes_value = i.opcode == Opcode::kOp || i.opcode == Opcode::kLiteral || i.opcode == Opcode::kIndex ||
                             i.opcode == Opcode::kLoad;
    if (!stores && !makes_value) fail("only ops, loads and stores can follow a contract");
    bool lanes = i.type.lanes;
    for (const Dim& d : i.index) lanes |= d.uses(kLaneSymbol);
    if (lanes) fail("the epilogue of a contract is for one element, it has no lanes");
    if (stores && (i.memory == contract.left.memory || i.memory == contract.right.memory))
      fail(quoted(i.memory) + " is stored to, but is an operand of the contract");
  }

  std::int64_t static_extent(const Instr& i) const {
    if (!i.extent.is_constant() || i.extent.constant() < 0) fail("the extent " + i.extent.str() + " is not static");
    return i.extent.constant();
  }
  void check_rows(const Memory& m, const std::string& name, std::int64_t rows, bool lanes) const {
    const std::vector<Dim> wanted = lanes ? std::vector<Dim>{rows, kLanes} : std::vector<Dim>{rows};
    const bool fits = m.extents.size() == wanted.size() && m.extents[0].is_constant() &&
                      m.extents[0].constant() >= rows && (!lanes || m.extents[1].is(kLanes));
    if (!fits)
      fail(quoted(name) + " is " + Type{m.dtype, m.extents}.str() + ", it must hold " + Type{m.dtype, wanted}.str());
  }

  void check_lane_reduce(const Instr& i) const {
    if (!i.op || i.op->arity != 2 || !i.op->is(kElementwise))
      fail("lane_reduce combines with no binary elementwise op");
    const Memory &to = written(i.memory), &from = memory(i.source);
    if (to.dtype != from.dtype) fail("lane_reduce from " + quoted(i.source) + " to another dtype");
    const std::int64_t rows = static_extent(i);
    check_rows(from, i.source, rows, true);
    check_rows(to, i.memory, rows, false);
  }

  void check_transposed(const Instr& i) const {
    const Memory &to = written(i.memory), &from = memory(i.source);
    if (to.dtype != from.dtype) fail("transpose from " + quoted(i.source) + " to another dtype");
    const bool loads = i.opcode == Opcode::kLoadTransposed;
    const Memory& rows = loads ? from : to;
    const std::string& name = loads ? i.source : i.memory;
    if (rows.extents.size() < 2 || i.index.size() != rows.extents.size())
      fail("transpose takes rows of " + quoted(name) + " of rank " + std::to_string(rows.extents.size()) + " with " +
           std::to_string(i.index.size()) + " indices; both must be the same, at least 2");
    int by_lane = 0;
    for (const Dim& d : i.index) {
      check_dim(d, true);
      by_lane += d.uses(kLaneSymbol);
    }
    if (by_lane != 1 || i.index.back().uses(kLaneSymbol))
      fail("transpose takes the row from `lane` in one index that is not the last");
    check_rows(loads ? to : from, loads ? i.memory : i.source, static_extent(i), true);
    check_mask(i.mask, true);
  }

  const Kernel& kernel_;
  const Symbols& symbols_;
  const int number_;
  int& count_;
  int at_ = -1;
  std::map<std::string, Memory> memories_;
  std::vector<VType> types_;
  std::vector<State> state_;
  std::vector<int> scope_;
  Symbols vars_;
};

[[noreturn]] void fault(const std::string& message) { throw Found{{-1, -1, message}}; }

void check_buffers(const KernelModule& module) {
  std::set<std::string> names;
  for (const Buffer& b : module.buffers) {
    if (!names.insert(b.name).second) fault("two buffers are named " + quoted(b.name));
    if (b.role == BufferRole::kConstant && Type::of(b.data.dtype(), b.data.shape()) != b.type)
      fault("constant " + quoted(b.name) + " is " + b.type.str() + ", its data " +
            Type::of(b.data.dtype(), b.data.shape()).str());
    if (!is_axis_order(b.order, b.type.rank()) || (!b.order.empty() && b.role != BufferRole::kState))
      fault(quoted(b.name) + " is " + b.type.str() + " and has" + print_order(b.order));
    if (b.per_worker && (b.role != BufferRole::kTemp || b.alias >= 0))
      fault(quoted(b.name) + " is per_worker and no temp of its own");
    if (b.alias < 0) continue;
    if (b.role != BufferRole::kTemp) fault(quoted(b.name) + " is no temp and has an alias");
    if (static_cast<std::size_t>(b.alias) >= module.buffers.size())
      fault("the alias of " + quoted(b.name) + " is out of range");
    const Buffer& state = module.buffers[static_cast<std::size_t>(b.alias)];
    if (state.role != BufferRole::kState || state.type != b.type)
      fault(quoted(b.name) + " is an alias of " + quoted(state.name) + ", which is no state of its type");
  }
}

void check_updates(const KernelModule& module) {
  std::set<std::string> updated;
  for (const auto& u : module.updates) {
    const int state = module.find_buffer(u.state), value = module.find_buffer(u.value);
    if (state < 0 || value < 0)
      fault("update of " + quoted(u.state) + " with " + quoted(u.value) + ": there is no such buffer");
    const Buffer &s = module.buffers[static_cast<std::size_t>(state)],
                 &v = module.buffers[static_cast<std::size_t>(value)];
    if (s.role != BufferRole::kState) fault("update of " + quoted(u.state) + ", which is no state");
    if (s.type != v.type)
      fault("update of " + quoted(u.state) + ": it is " + s.type.str() + ", " + quoted(u.value) + " is " +
            v.type.str());
    if (!updated.insert(u.state).second) fault("state " + quoted(u.state) + " is updated twice");
  }
}

// The symbols of inputs and states; those of all other buffers must be among them.
Symbols check_symbols(const KernelModule& module) {
  Symbols known;
  const auto is_leaf = [](const Buffer& b) { return b.role == BufferRole::kInput || b.role == BufferRole::kState; };
  for (const Buffer& b : module.buffers)
    if (is_leaf(b))
      for (const Dim& d : b.type.dims) known.merge(d.symbols());
  for (const std::string& s : known)
    if (!is_identifier(s) || s == kLaneSymbol || is_dim_function(s))
      fault(quoted(s) + " cannot be the name of a symbol");
  for (const Buffer& b : module.buffers)
    for (const Dim& d : b.type.dims)
      for (const std::string& s : d.symbols())
        if (!known.count(s))
          fault("the symbol " + s + " of " + quoted(b.name) + " is in no type of an input or a state");
  for (const auto& [s, b] : module.bounds)
    if (!is_identifier(s) || s == kLaneSymbol || b.min < 0 || b.max < b.min)
      fault("the bounds of " + quoted(s) + " are " + std::to_string(b.min) + " .. " + std::to_string(b.max));
  for (const Requirement& r : module.requirements)
    for (const std::string& s : r.extent.symbols())
      if (!known.count(s)) fault("the symbol " + s + " of a requirement is in no type of an input or a state");
  return known;
}

}  // namespace

std::optional<KernelFault> find_fault(const KernelModule& module) {
  try {
    check_buffers(module);
    check_updates(module);
    const Symbols symbols = check_symbols(module);
    if (const auto why = region_fault(module)) fault(*why);
    const std::set<std::string> given = given_buffers(module);
    std::set<std::string> names;
    int instructions = 0;
    for (std::size_t k = 0; k < module.kernels.size(); ++k) {
      if (!names.insert(module.kernels[k].name).second) fault("two kernels are named @" + module.kernels[k].name);
      KernelChecker(module, module.kernels[k], symbols, given, static_cast<int>(k), &instructions).run();
    }
  } catch (const Found& f) {
    return f.fault;
  }
  return std::nullopt;
}

void verify(const KernelModule& module) {
  if (const auto found = find_fault(module))
    throw InternalError("the kernels do not verify: " + found->message + "\n" + print(module));
}

}  // namespace gcompile::ir
