#include "gcompile/passes/nest_cut.h"

#include <algorithm>
#include <map>

#include "gcompile/ir/op.h"
#include "gcompile/passes/expand_math.h"

namespace gcompile::passes {
namespace {

using ir::Node;

constexpr std::int64_t kOtherOp = 8;          // instructions of a gather, an argmax, ...
constexpr std::int64_t kMostVectors = 24;     // of a strip: more gain nothing
constexpr std::int64_t kTransposeColumn = 5;  // instructions for a column of a row-major input

class Costs {
 public:
  Costs(const NestWork& work, const Target& target) : work_(work), target_(target) {}

  // Instructions that make all elements of a placed value for one vector of samples.
  std::int64_t of(const Node* n) {
    const std::int64_t elements = work_.elements(n);
    // A copy counts too: it is a load and a store.
    return elements * std::max<std::int64_t>(computing(*n), 1);
  }

 private:
  std::int64_t reading(const Node* n) {
    if (n->op->is(ir::kLeaf)) return n->op->name == "input" ? 1 : 0;
    return work_.placed(n) ? 1 : computing(*n);
  }

  std::int64_t computing(const Node& n) {
    std::int64_t operands = 0;
    for (const ir::Value& v : n.operands) operands += reading(v.node);
    if (n.op->is(ir::kContraction)) return folded(n.operands[0].type(), n.attrs.ints("lhs_contract"));
    if (n.op->is(ir::kReduction)) return folded(n.operands[0].type(), n.attrs.ints("axes")) * (1 + operands);
    if (n.op->is(ir::kElementwise)) return operands + size(n);
    if (n.op->is(ir::kView)) return operands;
    return operands + kOtherOp;
  }

  static std::int64_t folded(const Type& type, const std::vector<std::int64_t>& axes) {
    std::int64_t count = 1;
    for (const std::int64_t a : axes)
      if (type.dim(a).is_constant()) count *= type.dim(a).constant();
    return count;
  }

  std::int64_t size(const Node& n) {
    const auto [it, is_new] = sizes_.try_emplace({n.op, n.types[0].dtype}, 0);
    if (is_new)
      it->second = expanded_size(*n.op, n.operands.empty() ? n.types[0].dtype : n.operands[0].type().dtype, target_);
    return it->second;
  }

  const NestWork& work_;
  const Target& target_;
  std::map<std::pair<const ir::OpDef*, DType>, std::int64_t> sizes_;
};

}  // namespace

NestCut cut_nest(const NestWork& work, const Target& target) {
  Costs costs(work, target);
  const std::int64_t window = target.reorder_window / target.registers_per_value();
  std::int64_t sums = 0, sum_size = 0, total = kTransposeColumn * work.input_columns;
  for (const Node* n : work.sums) {
    sums += work.elements(n);
    sum_size += costs.of(n);
  }
  std::vector<std::int64_t> sizes;
  for (const Node* n : work.carried) {
    sizes.push_back(costs.of(n));
    total += sizes.back();
  }
  NestCut cut;
  if (total + sum_size <= window && sums <= target.accumulators() / 2) {
    cut.stages.push_back(work.carried);
    // One instruction after the other, a core overlaps few iterations as long as these.
    if (work.abreast && total + sum_size > window / 4) cut.abreast = 2;
    cut.reason = "one loop of about " + std::to_string(total + sum_size) + " instructions, its " +
                 std::to_string(sums) + " sums in registers" +
                 (cut.abreast > 1 ? ", " + std::to_string(cut.abreast) + " vectors side by side" : "");
    return cut;
  }
  std::int64_t current = kTransposeColumn * work.input_columns, values = work.input_columns;
  cut.stages.emplace_back();
  for (std::size_t i = 0; i < work.carried.size(); ++i) {
    if (!cut.stages.back().empty() && current + sizes[i] > window / 2) {
      cut.stages.emplace_back();
      current = 0;
    }
    cut.stages.back().push_back(work.carried[i]);
    current += sizes[i];
    values += work.elements(work.carried[i]);
  }
  constexpr std::int64_t kVectorBytes = 64;
  cut.vectors =
      std::clamp<std::int64_t>(target.l1_bytes / std::max<std::int64_t>(values * kVectorBytes, 1), 2, kMostVectors);
  cut.reason = std::to_string(cut.stages.size()) + " stages of " + std::to_string(total) +
               " instructions over strips of " + std::to_string(cut.vectors) + " vectors (" + std::to_string(values) +
               " values each), " + std::to_string(sums) + " sums in blocks of up to " +
               std::to_string(target.accumulators());
  return cut;
}

SumBlock choose_block(std::int64_t rows, std::int64_t columns, std::int64_t limit) {
  SumBlock best{1, 1};
  double best_cost = 0;
  for (std::int64_t r = 1; r <= std::min(rows, limit); ++r)
    for (std::int64_t c = 1; c <= std::min(columns, limit / r); ++c) {
      // Every block reads r + c operands for a vector; a whole block and those at the edges alike.
      const double blocks = static_cast<double>(((rows + r - 1) / r) * ((columns + c - 1) / c));
      const double cost = blocks * static_cast<double>(r + c + 2);  // 2: the loop itself
      if (best_cost == 0 || cost < best_cost) {
        best_cost = cost;
        best = {r, c};
      }
    }
  return best;
}

}  // namespace gcompile::passes
