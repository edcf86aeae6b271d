// BodyLowering: the ElementContext of the lowerer. It makes the element of any value of a fusion's body at an index, by
// loading it when the value has a place in memory and by asking the op's record otherwise. Within a scope (the body of
// a loop) the element of a value at an index is made once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "gcompile/ir/lowering.h"
#include "gcompile/passes/kernel_builder.h"
#include "gcompile/passes/pass.h"
#include "gcompile/passes/simplify_index.h"

namespace gcompile::passes {

class BodyLowering : public ir::ElementContext {
 public:
  using AddConstant = std::function<std::string(const Array&)>;  // gives a buffer's name

  using AddTemporary = std::function<std::string(const Type&)>;

  BodyLowering(KernelBuilder& builder, const ir::Graph& body, const PassContext& context, AddConstant add_constant,
               AddTemporary add_temporary);

  // Where the elements of a value are from now on: a buffer with the value's shape; scratch with one extent, in
  // row-major order from an offset on, without its first `skip` axes: those of the present row; scratch [elements
  // without the anchor axis, lane] that holds 16 samples; or scratch [slot, elements without the anchor axis, lane]
  // that holds those of a strip, of which `slot` says the one.
  void place_buffer(ir::Value v, const std::string& name) { places_[v] = {Form::kBuffer, name}; }
  void place_linear(ir::Value v, const std::string& name, std::int64_t offset = 0, std::size_t skip = 0) {
    places_[v] = {Form::kLinear, name, -1, offset, skip};
  }
  void place_lanes(ir::Value v, const std::string& name, int anchor) { places_[v] = {Form::kLanes, name, anchor}; }
  void place_strip(ir::Value v, const std::string& name, int anchor) { places_[v] = {Form::kStrip, name, anchor}; }
  // It is made where it is read again.
  void displace(ir::Value v) { places_.erase(v); }
  bool is_placed(ir::Value v) const { return places_.count(v) != 0; }
  const std::string& buffer_of(ir::Value v) const { return places_.at(v).memory; }

  // The memory and the index there of the element of a value at an index, when it is a copy of one: the value is
  // placed, or a view of a placed one. Nothing otherwise.
  std::optional<ir::Access> access(ir::Value v, const ir::Index& index);
  // What a reshape of something that lies in memory row by row reads: that, and its offset there.
  struct Source {
    ir::Value value;
    ir::Index index;
  };
  Source source_of_reshape(const ir::Node& n, const ir::ViewLowering& view, const ir::Index& index) const;
  // The element of a value at an index, within the present scope.
  void bind(ir::Value v, const ir::Index& index, int value);
  // A scope of its own for what `body` makes.
  void in_scope(const std::function<void()>& body);
  // A fresh variable over 0 .. extent, whose range is known to index simplification.
  std::string variable(const std::string& stem, const Dim& extent);
  ir::Index simplified(const ir::Index& index) const;

  // While a sample's values are made, sums along features have the order of feature_sums.h; so have those of nodes with
  // the attribute order.
  bool of_sample = false;
  // While lanes are on, folds carry lane vectors and loads that use `lane` are masked by `mask` (-1: all lanes).
  bool lanes = false;
  int mask = -1;
  Dim slot = 0;  // of the strip, whose samples are read
  // Names that scratch may not take: those of the module's buffers.
  std::set<std::string> reserved;

  // A loop of the kernel whose variable's range is known to index simplification; `body` gets the variable.
  void loop(const std::string& stem, const Dim& extent, ir::LoopKind kind, const std::function<void(const Dim&)>& body);
  // One that carries values: `body` gets those of the iteration and returns the next; returns those after the loop.
  using CarryingBody = std::function<std::vector<int>(const Dim&, std::span<const int>)>;
  std::vector<int> loop(const std::string& stem, const Dim& extent, ir::LoopKind kind, std::vector<int> initial,
                        const std::vector<ir::VType>& types, const CarryingBody& body);
  // Nested loops over a box; `body` gets the index.
  void loops(const std::string& stem, const std::vector<Dim>& extents, std::int64_t unroll_up_to,
             const std::function<void(const ir::Index&)>& body, ir::LoopKind unrolled = ir::LoopKind::kUnroll);
  // A buffer of the module for as long as a value is made.
  std::string temporary(const Type& type) { return add_temporary_(type); }
  // Scratch with a fresh name.
  std::string scratch(const std::string& stem, DType dtype, std::vector<std::int64_t> extents, ir::Scratch::Kind kind);

  // While it lives, what is made without asking for an element belongs to the node: its stores, its partial sums.
  class At {
   public:
    At(BodyLowering& c, const ir::Node& node);
    At(const At&) = delete;
    At& operator=(const At&) = delete;
    ~At() { builder_.where = before_; }

   private:
    KernelBuilder& builder_;
    int before_;
  };

  KernelBuilder& builder() { return b_; }
  const PassContext& context() const { return context_; }
  int value(ir::Value v, const ir::Index& index) { return element(v, index).id; }

  // ElementContext
  ir::Expr element(ir::Value v, const ir::Index& index) override;
  ir::Expr element_at(ir::Value v, const ir::Index& index, const std::vector<ir::Expr>& values) override;
  using ir::ElementContext::index;
  ir::Expr index(const Dim& d, DType dtype) override;
  ir::Expr guarded(ir::Expr predicate, const std::function<ir::Expr()>& f, ir::Expr otherwise) override;
  std::vector<ir::Expr>
  fold(const std::vector<Dim>& extents, std::vector<ir::Expr> initial,
       const std::function<std::vector<ir::Expr>(const ir::Index&, std::vector<ir::Expr>)>& step) override;
  ir::Expr op(std::string_view name, std::vector<ir::Expr> operands) override;
  ir::Expr cast(ir::Expr e, DType to) override { return {b_.cast(e.id, to)}; }
  ir::Expr bitcast(ir::Expr e, DType to) override { return {b_.bitcast(e.id, to)}; }
  ir::Expr literal(DType dtype, double value) override { return {b_.literal(dtype, value)}; }
  DType dtype(ir::Expr e) const override { return b_.type(e.id).dtype; }
  bool has_fma() const override { return context_.target.has_fma; }

 private:
  enum class Form { kBuffer, kLinear, kLanes, kStrip };
  struct Place {
    Form form = Form::kBuffer;
    std::string memory = {};
    int anchor = -1;
    std::int64_t offset = 0;
    std::size_t skip = 0;
    bool is_whole() const { return !by_lanes() && skip == 0; }
    bool by_lanes() const { return form == Form::kLanes || form == Form::kStrip; }
  };
  using Memo = std::map<std::pair<ir::Value, std::string>, int,
                        bool (*)(const std::pair<ir::Value, std::string>&, const std::pair<ir::Value, std::string>&)>;

  std::string fresh_var(const std::string& stem);
  ir::Expr make(ir::Value v, const ir::Index& index);
  ir::Expr load(const Place& place, const Type& type, const ir::Index& index);
  using Step = std::function<std::vector<ir::Expr>(const ir::Index&, std::vector<ir::Expr>)>;
  std::vector<ir::Expr> fold(const std::vector<Dim>& extents, const std::vector<ir::Expr>& initial, const Step& step,
                             std::int64_t unroll_up_to);
  // Sums in so many parts, as feature_sums.h says.
  ir::Expr fold_parts(const std::vector<Dim>& extents, int partials, ir::Expr initial, std::string_view combine,
                      const std::function<ir::Expr(const ir::Index&, ir::Expr)>& step);
  bool has_feature_order(const ir::Node& n) const { return of_sample || n.attrs.has("order"); }
  ir::Expr contract(const ir::Node& n, const ir::Index& index);
  ir::Expr reduce(const ir::Node& n, const ir::ReduceLowering& r, const ir::Index& index);
  // The index into the memory of a place.
  ir::Index index_into(const Place& place, const Type& type, const ir::Index& index) const;
  template <class F>
  auto scoped(F&& f);

  KernelBuilder& b_;
  const ir::Graph& body_;
  const PassContext& context_;
  AddConstant add_constant_;
  AddTemporary add_temporary_;
  ir::ValueMap<Place> places_;
  std::vector<Memo> memo_;
  std::vector<int> bindings_;  // values of "$0", "$1", ...: numbered over the whole kernel
  int predicate_ = -1;         // of the guards around
  Ranges ranges_;
  std::set<std::string> symbols_;  // of the body's types: no loop variable may have such a name
  int scratch_count_ = 0;
};

// The row-major offset of an index into a box; an index with one entry is an offset already.
Dim linear_offset(const ir::Index& index, const std::vector<Dim>& extents);

// The same within a row: of the entries and extents behind the first `skip`.
Dim row_offset(const ir::Index& index, const std::vector<Dim>& extents, std::size_t skip);

}  // namespace gcompile::passes
