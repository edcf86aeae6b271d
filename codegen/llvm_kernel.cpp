#include "gcompile/codegen/llvm_kernel.h"

#include <algorithm>
#include <llvm/IR/Module.h>
#include <unordered_map>

#include "gcompile/base/convert.h"
#include "gcompile/base/error.h"
#include "gcompile/codegen/llvm_memory.h"

namespace gcompile::codegen {
namespace {

using ir::Instr;
using ir::Opcode;
using llvm::Value;

// Values that a chain of instructions keeps alive beside the constants it shares with others: so many registers an
// iteration of an interleaved loop is given.
constexpr int kLiveValues = 3;

constexpr std::uint64_t kFrameAlignment = 64;

bool is_loop(const Instr& i) { return i.opcode == Opcode::kFor && !ir::is_unrolled(i.loop); }

class KernelEmitter {
 public:
  KernelEmitter(const ir::Program& program, const ir::Kernel& kernel, const std::vector<int>& table,
                const Target& target, llvm::Function& function, DebugInfo* debug)
      : program_(program), kernel_(kernel), table_(table), target_(target), function_(function), debug_(debug),
        entry_(llvm::BasicBlock::Create(function.getContext(), "entry", &function)),
        b_(llvm::BasicBlock::Create(function.getContext(), "body", &function)),
        index_(b_, [this](const std::string& name) { return symbol(name); }), memory_(b_, entry_, index_, target),
        values_(static_cast<std::size_t>(kernel.values)), dtypes_(values_.size()) {
    note_dtypes(kernel.body);
  }

  void run() {
    llvm::BasicBlock* body = b_.GetInsertBlock();
    if (debug_) {
      const Location where = kernel_.locations.empty() ? Location{} : kernel_.locations[0];
      debug_->begin(function_, program_.module.name + "." + kernel_.name, where);
      entry_.SetCurrentDebugLocation(debug_->at(function_, where));
    }
    emit(kernel_.body);
    b_.CreateRetVoid();
    entry_.CreateBr(body);
  }

  // The statements before it only, and a call of the function that has the others.
  void cut(const KernelCut* at, llvm::Function* behind) {
    cut_ = at;
    behind_ = behind;
  }

  // The statements behind the cut only.
  void run_behind(const KernelCut& cut) {
    llvm::BasicBlock* body = b_.GetInsertBlock();
    llvm::Argument* argument = function_.getArg(kArguments);
    for (const ir::Scratch* s : cut.shared) places_.emplace(s->name, place_in_frame(*s, argument++));
    for (const std::string& v : cut.variables) index_.bind(v, argument++);
    for (const Instr* i : cut.values) define(*i, argument++);
    for (const Instr* i : cut.literals) emit(*i);
    for (std::size_t n = cut.begin; n < cut.block->size(); ++n) emit((*cut.block)[n]);
    b_.CreateRetVoid();
    entry_.CreateBr(body);
  }

 private:
  [[noreturn]] void fail(const std::string& message, const Instr* at = nullptr) const {
    const Location* where = at && at->where >= 0 ? &kernel_.locations[static_cast<std::size_t>(at->where)] : nullptr;
    throw InternalError(where ? *where : Location{}, "code generation: kernel " + kernel_.name + ": " + message);
  }

  Value* value(int id) const {
    if (iteration_)
      if (const auto it = iteration_->values.find(id); it != iteration_->values.end()) return it->second;
    if (id < 0 || !values_[static_cast<std::size_t>(id)]) fail("%" + std::to_string(id) + " has no value here");
    return values_[static_cast<std::size_t>(id)];
  }
  void define(int id, Value* v) { (iteration_ ? iteration_->values[id] : values_[static_cast<std::size_t>(id)]) = v; }
  void define(const Instr& i, Value* v) {
    if (i.results.size() != 1) fail("an instruction with " + std::to_string(i.results.size()) + " results", &i);
    define(i.results[0], i.type.lanes ? splat(b_, v) : v);
  }
  // Which dtype every value has: its LLVM type does not say whether an integer has a sign.
  void note_dtypes(const ir::Block& block) {
    for (const Instr& i : block) {
      for (std::size_t k = 0; k < i.results.size(); ++k)
        dtypes_[static_cast<std::size_t>(i.results[k])] = i.types.empty() ? i.type.dtype : i.types[k].dtype;
      for (std::size_t k = 0; k < i.arguments.size(); ++k)
        dtypes_[static_cast<std::size_t>(i.arguments[k])] = i.types[k].dtype;
      note_dtypes(i.body);
    }
  }
  Value* mask(const Instr& i) const { return i.mask < 0 ? nullptr : value(i.mask); }
  std::vector<Value*> operands(const Instr& i, std::size_t from = 0) const {
    std::vector<Value*> v;
    for (std::size_t k = from; k < i.operands.size(); ++k) v.push_back(value(i.operands[k]));
    return v;
  }

  // A dim of the program, loaded once at the function's top.
  Value* symbol(const std::string& name) {
    Value*& v = symbols_[name];
    if (v) return v;
    const auto it = std::find(program_.symbols.begin(), program_.symbols.end(), name);
    if (it == program_.symbols.end()) fail("nothing binds the symbol " + name);
    const auto position = static_cast<std::uint64_t>(it - program_.symbols.begin());
    return v = load_constant(entry_.getInt64Ty(), 1, position, name);
  }

  // An entry of one of the two tables the function gets; nobody writes them while it runs.
  Value* load_constant(llvm::Type* type, unsigned argument, std::uint64_t position, const std::string& name) {
    Value* at = entry_.CreateConstInBoundsGEP1_64(type, function_.getArg(argument), position);
    llvm::LoadInst* load = entry_.CreateAlignedLoad(type, at, llvm::Align(8), name);
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(function_.getContext(), {}));
    return load;
  }

  const Place& place(const std::string& name) {
    const auto known = places_.find(name);
    if (known != places_.end()) return known->second;
    Place p;
    p.name = name;
    const auto scratch = std::find_if(kernel_.scratch.begin(), kernel_.scratch.end(),
                                      [&](const ir::Scratch& s) { return s.name == name; });
    if (scratch != kernel_.scratch.end()) {
      const bool registers = scratch->kind == ir::Scratch::Kind::kRegister;
      p = place_in_frame(*scratch, registers ? nullptr : allocate(*scratch));
      if (registers) p.registers = &registers_.try_emplace(name, name).first->second;
    } else {
      const auto& buffers = program_.module.buffers;
      const auto buffer = std::find_if(buffers.begin(), buffers.end(), [&](const auto& x) { return x.name == name; });
      if (buffer == buffers.end()) fail("there is no memory named " + name);
      p.dtype = buffer->type.dtype;
      p.extents = buffer->type.dims;
      p.alignment = size_of(p.dtype);
      p.address = load_constant(entry_.getPtrTy(), 0, position_of(static_cast<int>(buffer - buffers.begin())), name);
      if (buffer->per_worker && kernel_.is_parallel()) p.address = of_this_worker(p.address, *buffer);
    }
    return places_.emplace(name, std::move(p)).first->second;
  }

  // Where the table of buffers has the one of this index in the module.
  std::uint64_t position_of(int buffer) const {
    if (table_.empty()) return static_cast<std::uint64_t>(buffer);
    return static_cast<std::uint64_t>(std::find(table_.begin(), table_.end(), buffer) - table_.begin());
  }

  // Every thread's own one begins at a multiple of 64 bytes behind the one before.
  Value* of_this_worker(Value* first, const ir::Buffer& buffer) {
    const Dim bytes = buffer.type.size() * Dim(static_cast<std::int64_t>(size_of(buffer.type.dtype)));
    IndexEmitter index(entry_, [this](const std::string& name) { return symbol(name); });
    Value* offset = entry_.CreateMul(function_.getArg(kWorker), index.base(index.emit(Dim(64) * ceildiv(bytes, 64))));
    return entry_.CreateInBoundsGEP(entry_.getInt8Ty(), first, {offset});
  }

  Value* allocate(const ir::Scratch& scratch) {
    std::uint64_t count = 1;
    for (const std::int64_t e : scratch.extents) count *= static_cast<std::uint64_t>(e);
    llvm::Type* element = scratch.dtype == DType::kBool ? b_.getInt8Ty()
                          : is_float16(scratch.dtype)   ? b_.getInt16Ty()
                                                        : register_type(b_.getContext(), {scratch.dtype});
    llvm::AllocaInst* memory = entry_.CreateAlloca(llvm::ArrayType::get(element, count), nullptr, scratch.name);
    memory->setAlignment(llvm::Align(kFrameAlignment));
    return memory;
  }

  static Place place_in_frame(const ir::Scratch& scratch, Value* address) {
    Place p;
    p.name = scratch.name;
    p.dtype = scratch.dtype;
    p.extents.assign(scratch.extents.begin(), scratch.extents.end());
    p.address = address;
    p.alignment = kFrameAlignment;
    return p;
  }

  void emit(const ir::Block& block) {
    const bool here = cut_ && &block == cut_->block;
    for (std::size_t n = 0; n < (here ? cut_->begin : block.size()); ++n) emit(block[n]);
    if (!here) return;
    std::vector<Value*> arguments{function_.getArg(0), function_.getArg(1)};
    for (const ir::Scratch* s : cut_->shared) arguments.push_back(place(s->name).address);
    for (const std::string& v : cut_->variables) arguments.push_back(index_.base(index_.emit(Dim(v))));
    for (const Instr* i : cut_->values) arguments.push_back(value(i->results[0]));
    b_.CreateCall(behind_, arguments);
  }

  void emit(const Instr& i) {
    if (debug_)
      b_.SetCurrentDebugLocation(
          debug_->at(function_, i.where < 0 ? Location{} : kernel_.locations[static_cast<std::size_t>(i.where)]));
    switch (i.opcode) {
      case Opcode::kOp: return emit_primitive(i);
      case Opcode::kLiteral: return define(i, literal(i));
      case Opcode::kIndex: return define(i, index_value(i));
      case Opcode::kLoad: {
        const Place& p = place(i.memory);
        return define(i, memory_.load(p, index_.offset(p.extents, i.index, operands(i)), i.type, mask(i)));
      }
      case Opcode::kStore: {
        const Place& p = place(i.memory);
        return memory_.store(p, index_.offset(p.extents, i.index, operands(i, 1)), value(i.operands[0]), mask(i));
      }
      case Opcode::kFor: return emit_loop(i);
      case Opcode::kLaneReduce: {
        const Place& source = place(i.source);
        const OpContext context{b_, target_, {source.dtype, true}, source.dtype};
        memory_.lane_reduce(place(i.memory), source, static_extent(i), [&](Value* x, Value* y) {
          return emit_op(context, i.op->name, std::array{x, y});
        });
        return;
      }
      case Opcode::kLoadTransposed: {
        const Place& source = place(i.source);
        return memory_.load_transposed(place(i.memory), source, index_.offset(source.extents, i.index, {}),
                                       static_extent(i), mask(i));
      }
      case Opcode::kStoreTransposed: {
        const Place& to = place(i.memory);
        return memory_.store_transposed(to, index_.offset(to.extents, i.index, {}), place(i.source), static_extent(i),
                                        mask(i));
      }
      case Opcode::kPrefetch: {
        const Place& p = place(i.memory);
        return memory_.prefetch(p, index_.offset(p.extents, i.index, {}));
      }
      case Opcode::kContract: fail("a contract: tile has to make loops of it", &i);
    }
    fail("an unknown instruction", &i);
  }

  int static_extent(const Instr& i) const {
    if (!i.extent.is_constant()) fail("the extent " + i.extent.str() + " has to be constant", &i);
    return static_cast<int>(i.extent.constant());
  }

  void emit_primitive(const Instr& i) {
    if (!i.op) fail("an op without a name", &i);
    std::vector<Value*> v = operands(i);
    const bool lanes = std::any_of(v.begin(), v.end(), [](Value* x) { return x->getType()->isVectorTy(); });
    if (lanes)
      for (Value*& x : v) x = splat(b_, x);
    const DType operands = i.operands.empty() ? i.type.dtype : dtypes_.at(static_cast<std::size_t>(i.operands.back()));
    define(i, emit_op({b_, target_, {i.type.dtype, lanes}, operands}, i.op->name, v));
  }

  Value* literal(const Instr& i) {
    llvm::Type* type = register_type(b_.getContext(), {i.type.dtype, false});
    if (is_float(i.type.dtype))
      return llvm::ConstantFP::get(type, dispatch(i.type.dtype, [&](auto zero) {
                                     return static_cast<double>(convert<decltype(zero)>(i.literal));
                                   }));
    const auto whole = convert<std::int64_t>(i.literal);
    return llvm::ConstantInt::getSigned(type, i.type.dtype == DType::kBool ? -whole : whole);
  }

  Value* index_value(const Instr& i) {
    const Linear x = index_.emit(i.index.at(0), operands(i));
    const unsigned bits = i.type.dtype == DType::kI64 ? 64 : 32;
    if (x.lanes) return b_.CreateTrunc(x.lanes, x.lanes->getType()->getWithNewBitWidth(bits));
    Value* base = b_.CreateTrunc(index_.base(x), b_.getIntNTy(bits));
    if (!x.stride) return base;
    Value* stride = splat(b_, b_.CreateTrunc(x.stride, b_.getIntNTy(bits)));
    return b_.CreateAdd(splat(b_, base), b_.CreateMul(lane_numbers(b_, bits), stride));
  }

  // A carried value with its declared type: a scalar one of a lane-typed variable is splat.
  std::vector<Value*> carried(const Instr& i, const std::vector<int>& ids) {
    if (ids.size() != i.types.size()) fail("a loop carries " + std::to_string(i.types.size()) + " values", &i);
    std::vector<Value*> v;
    for (std::size_t k = 0; k < ids.size(); ++k)
      v.push_back(i.types[k].lanes ? splat(b_, value(ids[k])) : value(ids[k]));
    return v;
  }

  std::vector<Value*> iteration(const Instr& i, Value* variable, const std::vector<Value*>& state) {
    index_.bind(i.var, variable);
    for (std::size_t k = 0; k < state.size(); ++k) define(i.arguments[k], state[k]);
    emit(i.body);
    return carried(i, i.yields);
  }

  void emit_loop(const Instr& i) {
    std::vector<Value*> state = carried(i, i.operands);
    const Linear extent = index_.emit(i.extent);
    const auto count = extent.constant_base();
    if (ir::is_unrolled(i.loop) && !count) fail("an unrolled loop of extent " + i.extent.str(), &i);
    if (i.loop == ir::LoopKind::kInterleave && !iteration_ && *count > 1) return emit_interleaved(i, *count);
    const bool shared = &i == kernel_.parallel_loop();
    if (!shared && (ir::is_unrolled(i.loop) || (count && *count <= 1))) {
      for (std::int64_t n = 0; n < count.value_or(0); ++n)
        state = iteration(i, b_.getInt64(static_cast<std::uint64_t>(n)), state);
    } else {
      if (shared)
        state = serial_loop(i, function_.getArg(kBegin), function_.getArg(kEnd), false, state);
      else
        state = serial_loop(i, b_.getInt64(0), index_.base(extent), count.has_value(), state);
    }
    index_.bind(i.var, nullptr);
    for (std::size_t k = 0; k < state.size(); ++k) define(i.results[k], state[k]);
  }

  // Values of one iteration of an interleaved loop; those from outside are in values_.
  struct Iteration {
    Value* variable;
    std::unordered_map<int, Value*> values = {};
  };

  // As many iterations at a time as find room in the registers, in even groups.
  void emit_interleaved(const Instr& loop, std::int64_t count) {
    if (!loop.types.empty()) fail("an interleaved loop that carries values", &loop);
    const std::int64_t most = std::max(target_.accumulators() / kLiveValues, 2);
    const std::int64_t groups = (count + most - 1) / most;
    for (std::int64_t g = 0; g < groups; ++g) {
      std::vector<Iteration> iterations;
      for (std::int64_t n = g * count / groups; n < (g + 1) * count / groups; ++n)
        iterations.push_back({b_.getInt64(static_cast<std::uint64_t>(n))});
      interleave(loop.body, loop.var, iterations);
    }
    index_.bind(loop.var, nullptr);
    iteration_ = nullptr;
  }

  // Every instruction for all iterations before the next one.
  void interleave(const ir::Block& block, const std::string& var, std::vector<Iteration>& iterations) {
    const auto each = [&](const auto& f) {
      for (std::size_t k = 0; k < iterations.size(); ++k) {
        iteration_ = &iterations[k];
        index_.bind(var, iterations[k].variable);
        f(k);
      }
    };
    for (const Instr& i : block) {
      if (i.opcode != Opcode::kFor || !ir::is_unrolled(i.loop)) {
        each([&](std::size_t) { emit(i); });
        continue;
      }
      std::vector<std::vector<Value*>> state(iterations.size());
      each([&](std::size_t k) { state[k] = carried(i, i.operands); });
      for (std::int64_t n = 0; n < i.extent.constant(); ++n) {
        index_.bind(i.var, b_.getInt64(static_cast<std::uint64_t>(n)));
        each([&](std::size_t k) {
          for (std::size_t s = 0; s < state[k].size(); ++s) define(i.arguments[s], state[k][s]);
        });
        interleave(i.body, var, iterations);
        each([&](std::size_t k) { state[k] = carried(i, i.yields); });
      }
      index_.bind(i.var, nullptr);
      each([&](std::size_t k) {
        for (std::size_t s = 0; s < state[k].size(); ++s) define(i.results[s], state[k][s]);
      });
    }
  }

  // before -> [body -> body ...] -> after; `before` branches around the loop when it may have no iteration.
  std::vector<Value*> serial_loop(const Instr& i, Value* begin, Value* end, bool runs,
                                  const std::vector<Value*>& initial) {
    llvm::LLVMContext& context = function_.getContext();
    llvm::BasicBlock* before = b_.GetInsertBlock();
    auto* body = llvm::BasicBlock::Create(context, i.var, &function_);
    auto* after = llvm::BasicBlock::Create(context, i.var + ".done", &function_);
    if (runs)
      b_.CreateBr(body);
    else
      b_.CreateCondBr(b_.CreateICmpSGT(end, begin), body, after);
    b_.SetInsertPoint(body);
    llvm::PHINode* variable = b_.CreatePHI(b_.getInt64Ty(), 2, i.var);
    variable->addIncoming(begin, before);
    std::vector<llvm::PHINode*> phis;
    for (Value* v : initial) {
      phis.push_back(b_.CreatePHI(v->getType(), 2));
      phis.back()->addIncoming(v, before);
    }
    // Register scratch of the whole kernel takes part, also what is named first inside the loop.
    for (const ir::Scratch& s : kernel_.scratch)
      if (s.kind == ir::Scratch::Kind::kRegister) place(s.name).registers->enter_serial_loop();
    const bool innermost = std::none_of(i.body.begin(), i.body.end(), is_loop);
    IndexEmitter::Loop around = index_.enter({i.var, variable, begin, innermost});
    const std::vector<Value*> yields = iteration(i, variable, {phis.begin(), phis.end()});
    index_.leave(std::move(around));
    for (auto& [name, registers] : registers_) registers.leave_serial_loop();
    Value* next = b_.CreateAdd(variable, b_.getInt64(1), "", true, true);
    llvm::BasicBlock* latch = b_.GetInsertBlock();
    b_.CreateCondBr(b_.CreateICmpSLT(next, end), body, after);
    variable->addIncoming(next, latch);
    b_.SetInsertPoint(after);
    std::vector<Value*> results;
    for (std::size_t k = 0; k < phis.size(); ++k) {
      phis[k]->addIncoming(yields[k], latch);
      if (runs) {
        results.push_back(yields[k]);
        continue;
      }
      llvm::PHINode* result = b_.CreatePHI(phis[k]->getType(), 2);
      result->addIncoming(initial[k], before);
      result->addIncoming(yields[k], latch);
      results.push_back(result);
    }
    return results;
  }

  const ir::Program& program_;
  const ir::Kernel& kernel_;
  const std::vector<int>& table_;
  const Target& target_;
  llvm::Function& function_;
  DebugInfo* debug_;
  llvm::IRBuilder<> entry_, b_;
  IndexEmitter index_;
  MemoryEmitter memory_;
  std::vector<Value*> values_;
  std::vector<DType> dtypes_;
  Iteration* iteration_ = nullptr;  // the one at hand, in an interleaved loop
  const KernelCut* cut_ = nullptr;
  llvm::Function* behind_ = nullptr;
  std::map<std::string, Value*> symbols_;
  std::map<std::string, Place> places_;
  std::map<std::string, Registers> registers_;
};

}  // namespace

void emit_kernel(const ir::Program& program, const ir::Kernel& kernel, const std::vector<int>& table,
                 const Target& target, llvm::Function& function, DebugInfo* debug, const KernelCut* cut,
                 llvm::Function* behind) {
  llvm::LLVMContext& context = function.getContext();
  std::vector<llvm::Metadata*> lines;
  for (const Location& l : kernel.locations) lines.push_back(llvm::MDString::get(context, l.str()));
  if (!lines.empty()) function.setMetadata("gcompile.lines", llvm::MDNode::get(context, lines));
  KernelEmitter emitter(program, kernel, table, target, function, debug);
  emitter.cut(cut, behind);
  emitter.run();
}

void emit_behind(const ir::Program& program, const ir::Kernel& kernel, const std::vector<int>& table,
                 const Target& target, const KernelCut& cut, llvm::Function& function) {
  KernelEmitter(program, kernel, table, target, function, nullptr).run_behind(cut);
}

}  // namespace gcompile::codegen
