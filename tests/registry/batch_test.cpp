// The batching rule of every op, from its samples: the batched graph gives for every element of the batch what the
// graph gives for that element alone, bit by bit, by the interpreter. Every subset of the operands is batched, with a
// symbolic batch, a constant one, and one whose extent other axes have by accident.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/call.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/batch.h"
#include "gcompile/passes/specialize.h"
#include "tests/registry/samples.h"

namespace gcompile::registry {
namespace {

using ir::OpDef;
using ir::Value;

// The element at index i of the leading axis.
Array element(const Array& a, std::int64_t i) {
  std::vector<std::int64_t> extents(a.shape().begin() + 1, a.shape().end());
  Array out = Array::uninitialized(a.dtype(), Shape(extents));
  const std::size_t bytes = static_cast<std::size_t>(out.size()) * size_of(a.dtype());
  if (bytes > 0)
    std::memcpy(out.raw(), static_cast<const std::byte*>(a.raw()) + static_cast<std::size_t>(i) * bytes, bytes);
  return out;
}

bool equal_bits(const Array& a, const Array& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.size() == 0 || std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.size()) * size_of(a.dtype())) == 0);
}

std::vector<std::size_t> inputs_read(const ir::Graph& g) {
  std::vector<std::size_t> read;
  const auto nodes = g.topological();
  for (std::size_t i = 0; i < g.inputs.size(); ++i)
    for (const ir::Node* n : nodes)
      if (std::find(n->operands.begin(), n->operands.end(), g.inputs[i].value) != n->operands.end()) {
        read.push_back(i);
        break;
      }
  return read;
}

// The inputs named in `chosen` are replaced by batched ones.
void check(const ir::Graph& graph, const std::vector<std::size_t>& chosen, const Dim& size, std::int64_t count,
           codegen::DimValues dims) {
  ir::Graph batched = graph;
  ir::Builder b(batched);
  b.where = {{"sample.cpp", 3}};
  std::vector<std::pair<Value, Value>> leaves;
  for (const std::size_t i : chosen) {
    const Value leaf = graph.inputs[i].value;
    leaves.emplace_back(leaf, b.input("batch", leaf.type().with_leading(size)));
  }
  std::vector<Value> results;
  for (const auto& r : graph.results) results.push_back(r.value);
  const std::vector<Value> made = passes::batch(b, results, leaves, size);
  for (std::size_t r = 0; r < made.size(); ++r) batched.results[r].value = made[r];
  ir::verify(batched);
  const std::string text = ir::print(batched);
  EXPECT_EQ(ir::print(ir::parse_graph(text, "batched.gir")), text);

  if (!size.is_constant()) dims["B"] = count;
  const codegen::Call all = codegen::sample_call(batched, dims, 3);
  const std::vector<Array> together = codegen::interpret(batched, all).results;
  for (std::int64_t i = 0; i < count; ++i) {
    codegen::Call one = all;
    one.inputs.resize(graph.inputs.size());
    for (std::size_t k = 0; k < chosen.size(); ++k)
      one.inputs[chosen[k]] = element(all.inputs[graph.inputs.size() + k], i);
    const std::vector<Array> alone = codegen::interpret(graph, one).results;
    for (std::size_t r = 0; r < alone.size(); ++r)
      EXPECT_TRUE(equal_bits(element(together[r], i), alone[r])) << "element " << i << " of " << count << "\n" << text;
  }
}

void check(const ir::Graph& graph, const std::vector<std::size_t>& chosen) {
  const bool symbolic = !graph.symbols().empty();
  const codegen::DimValues dims = symbolic ? codegen::DimValues{{"N", 3}} : codegen::DimValues{};
  check(graph, chosen, Dim("B"), 3, dims);
  check(graph, chosen, Dim("B"), 1, dims);
  check(graph, chosen, Dim(3), 3, dims);
  check(graph, chosen, Dim(1), 1, dims);
  if (!symbolic) return;
  check(passes::specialize(graph, {{"N", 3}}), chosen, Dim(3), 3, {});
  check(passes::specialize(graph, {{"N", 1}}), chosen, Dim(1), 1, {});
}

class BatchTest : public testing::Test {
 public:
  explicit BatchTest(const OpDef& op) : op_(op) {}
  void TestBody() override {
    EXPECT_NE(op_.batch, nullptr);
    for (const Sample& s : samples_of(op_)) {
      SCOPED_TRACE(s.name);
      const std::vector<std::size_t> read = inputs_read(s.graph);
      ASSERT_FALSE(read.empty());
      for (unsigned subset = 1; subset < 1u << read.size(); ++subset) {
        std::vector<std::size_t> chosen;
        for (std::size_t k = 0; k < read.size(); ++k)
          if (subset >> k & 1u) chosen.push_back(read[k]);
        check(s.graph, chosen);
      }
    }
  }

 private:
  const OpDef& op_;
};

const bool kRegistered = [] {
  for (const OpDef& op : ir::all_ops())
    if (!op.is(ir::kLeaf) && !op.is(ir::kKernelOnly) && op.name != "fusion")
      testing::RegisterTest("registry_batch", std::string(op.name).c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [&op]() -> testing::Test* { return new BatchTest(op); });
  return true;
}();

}  // namespace
}  // namespace gcompile::registry
