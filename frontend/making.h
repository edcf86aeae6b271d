// Making: the frame of every function of the DSL: it finds the trace, checks that the operands belong to it, makes
// nodes at the user's line, and reports errors with the operands. Internal to the frontend.
#pragma once

#include <string>
#include <string_view>

#include "gcompile/frontend/describe.h"
#include "gcompile/frontend/tensor.h"
#include "gcompile/ir/build.h"

namespace gcompile {

class Making {
 public:
  Making(std::string_view name, Where where);

  ir::V value(const Tensor& t) const { return {builder_, trace_->value(t, name_, where_)}; }
  Tensor tensor(ir::Value v) const { return trace_->tensor(v, where_); }
  ir::Builder& builder() const { return *builder_; }
  Trace& trace() const { return *trace_; }

  // Throws ModelError "line: name: message" and a line for each operand.
  [[noreturn]] void fail(const std::string& message,
                         const std::vector<std::pair<std::string, Tensor>>& operands = {}) const;
  // A call is refused where a symbolic extent is less.
  void require_at_least(const Dim& extent, std::int64_t least, const std::string& what) const {
    trace_->require_at_least(extent, least, name_ + ": " + what, where_);
  }
  // An error for a shape with a negative extent.
  void require_extents(const std::vector<Dim>& dims) const;
  // An error for a number where an integer of the dtype is wanted, when it is none.
  void require_integer(const Operand& number, DType dtype, const std::string& what) const;
  // Axis in [0, rank), or an error.
  std::int64_t axis(std::int64_t axis, const Tensor& x) const;
  // Ascending, without repetition; all axes for the default.
  std::vector<std::int64_t> axes(const Axes& axes, const Tensor& x) const;

 private:
  std::string name_;
  Where where_;
  Trace* trace_;
  ir::Builder* builder_;
};

// Integers of any dtype as i32 indices of `what`, or an error with the operands. One that an i32 does not hold becomes
// the nearest that it does, which is outside of every axis still.
ir::V index_value(const Making& making, const Tensor& t, const std::string& what,
                  const std::vector<std::pair<std::string, Tensor>>& operands);

// An error where an axis has no elements and there are indices into it.
void require_places(const Making& making, const Dim& extent, ir::V indices, const std::string& axis,
                    const std::vector<std::pair<std::string, Tensor>>& operands);

// The extents that two shapes broadcast to; nothing when they do not fit.
std::optional<std::vector<Dim>> broadcast_dims(const std::vector<Dim>& a, const std::vector<Dim>& b);
// `v` repeated to these extents, which it fits.
ir::V broadcast_value(ir::V v, const std::vector<Dim>& dims);
// Both operands as tensors of one shape and dtype, or an error that shows both.
std::pair<ir::V, ir::V> unify(const Making& making, const Operand& a, const Operand& b);

}  // namespace gcompile
