// The values of a random graph while it grows: what there is to choose operands from, and what each value is on sample
// data, so that what leaves the reasonable range can be thrown away.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "gcompile/codegen/check/error_bounds.h"
#include "gcompile/ir/build.h"
#include "gcompile_fuzz_generate.h"

namespace gcompile::fuzz {

using Ints = std::vector<std::int64_t>;

class ValuePool {
 public:
  explicit ValuePool(RandomStream& random) : r_(random), b_(sample_.graph) {}

 protected:
  // Chooses the leading extent, symbolic or not, and makes inputs and states.
  void begin();
  void line() { b_.where = {{"fuzz.cpp", ++line_}}; }

  std::int64_t extent() { return pick(r_, Ints{1, 2, 3, 4, 5, 7, 8, 16, 17, 19}); }
  Type random_type(DType t);
  DType random_dtype();

  // Newer values more often, so that graphs get deep.
  ir::Value any() { return pool_[std::max(r_.below(pool_.size()), r_.below(pool_.size()))]; }
  template <class F>
  std::optional<ir::Value> any_where(F&& good) {
    for (int tries = 0; tries < 12; ++tries)
      if (const ir::Value v = any(); good(v.type())) return v;
    return std::nullopt;
  }
  // Another value of that type: one there is, or one made from what there is.
  ir::Value like(const Type& type);
  int random_axis(ir::Value v) { return static_cast<int>(r_.below(static_cast<std::uint64_t>(v.type().rank()))); }

  // The largest magnitude of a value's elements on the sample data; 0 for one that is not evaluated yet.
  double largest(ir::Value v) const;
  // Evaluates the value and what it needs that is new; keeps it when it is good. Whether it was kept.
  bool add(const std::optional<ir::Value>& v);
  // Throws InternalError when two values that must have the same bits do not.
  void must_be_same(ir::Value a, ir::Value b);

  RandomStream& r_;
  Sample sample_;
  ir::Builder b_;
  Dim lead_ = 1;
  std::vector<ir::Value> pool_, made_;  // all to choose from; those that are not leaves

 private:
  const codegen::DimValues& dims() const { return sample_.sizes[0]; }
  std::int64_t size_of_type(const Type& t) const { return t.size().evaluate(dims()); }
  void leaf(const std::string& name, const Type& type, bool state);
  std::optional<ir::Value> broadcast_to(ir::Value v, const Type& type);
  bool good(const codegen::Bounded& b);
  bool evaluate(ir::Value v);

  std::uint32_t line_ = 0;
  ir::ValueMap<codegen::Bounded> known_;
};

}  // namespace gcompile::fuzz
