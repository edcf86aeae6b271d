#include "gcompile/codegen/llvm_regions.h"

#include <algorithm>

namespace gcompile::codegen {

using ir::Region;
using llvm::Value;

RegionEmitter::RegionEmitter(const ir::Program& program, llvm::IRBuilder<>& b, Value* table,
                             IndexEmitter::Symbol symbol)
    : program_(program), b_(b), table_(table), index_(b, std::move(symbol)) {}

void RegionEmitter::enter(int target) {
  std::vector<int> path;
  for (int r = target; r >= 0; r = region(r).parent) path.push_back(r);
  std::reverse(path.begin(), path.end());
  std::size_t same = 0;
  while (same < path.size() && same < open_.size() && open_[same].region == path[same]) ++same;
  while (open_.size() > same) end();
  for (; same < path.size(); ++same) begin(path[same]);
}

llvm::BasicBlock* RegionEmitter::block(const char* name) {
  return llvm::BasicBlock::Create(b_.getContext(), name, b_.GetInsertBlock()->getParent());
}

Value* RegionEmitter::bytes(const Dim& d) { return index_.base(index_.emit(d)); }

Value* RegionEmitter::entry(const std::string& buffer) {
  const int i = program_.module.find_buffer(buffer);
  return b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), table_, static_cast<std::uint64_t>(i));
}
Value* RegionEmitter::pointer(const std::string& buffer) {
  return b_.CreateAlignedLoad(b_.getPtrTy(), entry(buffer), llvm::Align(8), buffer);
}
void RegionEmitter::set_pointer(const std::string& buffer, Value* to) {
  b_.CreateAlignedStore(to, entry(buffer), llvm::Align(8));
}

Value* RegionEmitter::predicate(const Region& r) {
  Value* holds = b_.CreateAlignedLoad(b_.getInt8Ty(), pointer(r.predicate), llvm::Align(1));
  return b_.CreateICmpNE(holds, b_.getInt8(0), "holds");
}

void RegionEmitter::begin(int region_number) {
  const Region& r = region(region_number);
  Open open{region_number};
  switch (r.kind) {
    case Region::Kind::kLoop:
    case Region::Kind::kWhile: begin_loop(open, r); break;
    case Region::Kind::kThen:
    case Region::Kind::kElse: begin_branch(open, r); break;
    case Region::Kind::kTest: break;  // decides when it ends
  }
  open_.push_back(std::move(open));
}

void RegionEmitter::begin_branch(Open& open, const Region& r) {
  llvm::BasicBlock* taken = block("branch");
  open.exit = block("joined");
  Value* holds = predicate(r);
  b_.CreateCondBr(r.kind == Region::Kind::kThen ? holds : b_.CreateNot(holds), taken, open.exit);
  b_.SetInsertPoint(taken);
}

void RegionEmitter::begin_loop(Open& open, const Region& r) {
  const auto buffer = [&](const std::string& name) -> const ir::Buffer& { return program_.module.buffer(name); };
  const bool counted = r.kind == Region::Kind::kLoop;
  if (counted) open.steps = bytes(r.extent);
  std::vector<Value*> wholes, initial;
  for (const Region::Slice& s : r.slices) {
    const Dim before = s.offset * Dim(static_cast<std::int64_t>(size_of(buffer(s.whole).type.dtype)));
    wholes.push_back(b_.CreateGEP(b_.getInt8Ty(), pointer(s.whole), bytes(before)));
  }
  for (const Region::Carry& c : r.carries) initial.push_back(pointer(c.initial));
  for (const Region::Carry& c : r.carries) open.out.push_back(pointer(c.out));

  llvm::BasicBlock* before = b_.GetInsertBlock();
  open.header = block("step");
  open.exit = block("steps_done");
  b_.CreateBr(open.header);
  b_.SetInsertPoint(open.header);
  open.step = b_.CreatePHI(b_.getInt64Ty(), 2, "step");
  open.step->addIncoming(b_.getInt64(0), before);
  for (std::size_t i = 0; i < r.carries.size(); ++i) {
    open.carries.push_back(b_.CreatePHI(b_.getPtrTy(), 2, r.carries[i].in));
    open.carries.back()->addIncoming(initial[i], before);
  }
  if (counted) {
    llvm::BasicBlock* body = block("step_body");
    b_.CreateCondBr(b_.CreateICmpSLT(open.step, open.steps), body, open.exit);
    b_.SetInsertPoint(body);
  }
  Value* t = open.step;
  if (r.reverse) t = b_.CreateSub(b_.CreateSub(open.steps, b_.getInt64(1)), open.step);
  for (std::size_t i = 0; i < r.slices.size(); ++i) {
    const Type& type = buffer(r.slices[i].element).type;
    const Dim size = type.size() * Dim(static_cast<std::int64_t>(size_of(type.dtype)));
    set_pointer(r.slices[i].element, b_.CreateGEP(b_.getInt8Ty(), wholes[i], b_.CreateMul(t, bytes(size))));
  }
  for (std::size_t i = 0; i < r.carries.size(); ++i) {
    const Region::Carry& c = r.carries[i];
    set_pointer(c.in, open.carries[i]);
    const bool sliced =
        std::any_of(r.slices.begin(), r.slices.end(), [&](const auto& s) { return s.element == c.out; });
    if (sliced) continue;
    Value* second = b_.CreateGEP(b_.getInt8Ty(), open.out[i], bytes(ir::aligned_bytes(buffer(c.out).type)));
    Value* odd = b_.CreateTrunc(open.step, b_.getInt1Ty());
    set_pointer(c.out, b_.CreateSelect(odd, second, open.out[i]));
  }
}

void RegionEmitter::end() {
  const Open open = std::move(open_.back());
  open_.pop_back();
  const Region& r = region(open.region);
  if (r.kind == Region::Kind::kTest) {
    llvm::BasicBlock* body = block("step_body");
    b_.CreateCondBr(predicate(r), body, open_.back().exit);
    b_.SetInsertPoint(body);
    return;
  }
  if (r.kind == Region::Kind::kThen || r.kind == Region::Kind::kElse) {
    b_.CreateBr(open.exit);
    b_.SetInsertPoint(open.exit);
    return;
  }
  std::vector<Value*> next;
  for (const Region::Carry& c : r.carries) next.push_back(pointer(c.out));
  Value* step = b_.CreateAdd(open.step, b_.getInt64(1));
  open.step->addIncoming(step, b_.GetInsertBlock());
  for (std::size_t i = 0; i < next.size(); ++i) open.carries[i]->addIncoming(next[i], b_.GetInsertBlock());
  b_.CreateBr(open.header);
  b_.SetInsertPoint(open.exit);
  for (std::size_t i = 0; i < r.carries.size(); ++i) {
    const Region::Carry& c = r.carries[i];
    set_pointer(c.out, open.out[i]);  // for the next time that the loop is run
    const Type& type = program_.module.buffer(c.in).type;
    const Dim size = type.size() * Dim(static_cast<std::int64_t>(size_of(type.dtype)));
    const llvm::Align align(size_of(type.dtype));
    b_.CreateMemCpy(pointer(c.result), align, open.carries[i], align, bytes(size));
  }
}

}  // namespace gcompile::codegen
