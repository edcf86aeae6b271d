// Index expressions as LLVM values. An expression is split into what all lanes share and the multiple of the lane
// number, so that an access knows whether it is scalar, contiguous or strided without looking at any IR.
#pragma once

#include <functional>
#include <llvm/IR/IRBuilder.h>
#include <map>
#include <optional>
#include <string>

#include "gcompile/codegen/llvm_emit_ops.h"

namespace gcompile::codegen {

// base + stride * lane, all i64; or, where that form does not hold, any <16 x i64>.
struct Linear {
  llvm::Value* base = nullptr;
  llvm::Value* stride = nullptr;  // null: 0, all lanes agree
  llvm::Value* lanes = nullptr;   // when set, base and stride are null

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

  // `extra` are the values of $0, $1, ...
  Linear emit(const Dim& d, Values extra = {});
  // The row-major offset of an index into extents; an index with one entry is an offset already.
  Linear offset(const std::vector<Dim>& extents, const ir::Index& index, Values extra);
  // All lanes as <16 x i64>.
  llvm::Value* vector(const Linear& x);
  Linear add(const Linear& x, const Linear& y);
  Linear multiply(const Linear& x, const Linear& y);

 private:
  Linear atom(const Dim::Atom& a, Values extra);
  Linear opaque(const Dim::Opaque& o, Values extra);
  llvm::Value* plus(llvm::Value* x, llvm::Value* y);
  llvm::Value* times(llvm::Value* x, llvm::Value* y);

  llvm::IRBuilder<>& b_;
  Symbol symbol_;
  std::map<std::string, llvm::Value*, std::less<>> variables_;
};

// <0, 1, ... 15> of i64 or i32.
llvm::Constant* lane_numbers(llvm::IRBuilder<>& b, unsigned bits);

}  // namespace gcompile::codegen
