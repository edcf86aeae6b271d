// Index expressions as LLVM values. An expression is split into what all lanes share and the multiple of the lane
// number, so that an access knows whether it is scalar, contiguous or strided without looking at any IR; and what all
// lanes share into what a processor adds up in an address by itself. Nothing behind has to take sums apart again.
#pragma once

#include <functional>
#include <llvm/IR/IRBuilder.h>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "gcompile/codegen/llvm_emit_ops.h"

namespace gcompile::codegen {

// constant + outer + inner + stride * lane, all i64; or, where that form does not hold, any <16 x i64>.
struct Linear {
  std::int64_t constant = 0;
  llvm::Value* outer = nullptr;   // what stays in the innermost loop; null: 0
  llvm::Value* inner = nullptr;   // what changes with its variable; null: 0
  llvm::Value* stride = nullptr;  // null: 0, all lanes agree
  llvm::Value* lanes = nullptr;   // when set, the others are null and 0

  bool scalar() const { return !stride && !lanes; }
  std::optional<std::int64_t> constant_base() const;
  std::optional<std::int64_t> constant_stride() const;
};

class IndexEmitter {
 public:
  // A symbol that is no loop variable: a dim of the program, loaded at the function's top.
  using Symbol = std::function<llvm::Value*(const std::string&)>;
  IndexEmitter(llvm::IRBuilder<>& b, Symbol symbol) : b_(b), symbol_(std::move(symbol)) {}

  // Binds a loop variable; null ends its scope.
  void bind(const std::string& name, llvm::Value* value);

  // The loop at hand. Multiples of its variable, when it has no loop inside, are variables of their own.
  struct Loop {
    std::string name;
    llvm::PHINode* variable = nullptr;
    llvm::Value* begin = nullptr;
    bool innermost = false;
    std::map<std::int64_t, llvm::PHINode*> multiples = {};
  };
  // Enters a loop, whose first block is entered from one other one so far; returns the one around.
  Loop enter(Loop loop) { return std::exchange(loop_, std::move(loop)); }
  // At the end of its last block: what the multiples are the next time. Back to the loop around.
  void leave(Loop around);

  // `extra` are the values of $0, $1, ...
  Linear emit(const Dim& d, Values extra = {});
  // The row-major offset of an index into extents; an index with one entry is an offset already.
  Linear offset(const std::vector<Dim>& extents, const ir::Index& index, Values extra);
  // What all lanes share, and all lanes as <16 x i64>.
  llvm::Value* base(const Linear& x);
  llvm::Value* vector(const Linear& x);
  Linear add(const Linear& x, const Linear& y);
  // What one lane has, where lanes are a stride apart.
  Linear at_lane(const Linear& x, int lane);

 private:
  void add_terms(Linear& sum, const Dim& d, std::int64_t scale, Values extra);
  Linear term(const Dim::Term& t, std::int64_t scale, Values extra);
  llvm::Value* atom(const Dim::Atom& a, Values extra);
  llvm::Value* opaque(const Dim::Opaque& o, Values extra);
  llvm::Value* plus(llvm::Value* x, llvm::Value* y);
  llvm::Value* times(llvm::Value* x, std::int64_t n);
  llvm::Value* multiple(std::int64_t n);
  llvm::Value* number(std::int64_t n);

  llvm::IRBuilder<>& b_;
  Symbol symbol_;
  std::map<std::string, llvm::Value*, std::less<>> variables_;
  Loop loop_;
};

// <0, 1, ... 15> of i64 or i32.
llvm::Constant* lane_numbers(llvm::IRBuilder<>& b, unsigned bits);

}  // namespace gcompile::codegen
