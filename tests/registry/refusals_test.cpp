// What every op refuses, from its samples: an operand too many, an attribute missing, unknown or of another type, an
// operand of another dtype or shape. One test per op, "registry_refusals.<op>". A refusal is a ModelError that begins
// with the line and the op's name.
#include <gtest/gtest.h>

#include <algorithm>

#include "gcompile/base/error.h"
#include "tests/registry/samples.h"

namespace gcompile::registry {
namespace {

using ir::Attrs;
using ir::OpDef;
using ir::Value;

const ir::Node* node_of(const Sample& s, const OpDef& op) {
  for (const ir::Node* n : s.graph.topological())
    if (n->op == &op) return n;
  return nullptr;
}

class Refusals {
 public:
  Refusals(const OpDef& op, const Sample& s) : op_(op), graph_(s.graph), node_(*node_of(s, op)) {}

  void check() {
    operands_too_many();
    attributes();
    for (std::size_t i = 0; i < node_.operands.size(); ++i) operand(i);
  }

 private:
  void expect_refused(const std::vector<Value>& operands, const Attrs& attrs, const std::string& what) {
    ir::Builder b(graph_);
    b.where = {{"refused.cpp", 7}};
    try {
      b.make(op_, operands, attrs, node_.bodies);
      ADD_FAILURE() << op_.name << " takes " << what;
    } catch (const ModelError& e) {
      EXPECT_TRUE(std::string(e.what()).starts_with("refused.cpp:7: " + std::string(op_.name) + ": ")) << e.what();
    }
  }

  void operands_too_many() {
    if (op_.arity < 0) return;
    std::vector<Value> more = node_.operands;
    more.push_back(graph_.results[0].value);
    expect_refused(more, node_.attrs, "an operand too many");
  }

  void attributes() {
    for (const auto& [changed, ignored] : node_.attrs.entries()) {
      Attrs fewer, other;
      for (const auto& [key, value] : node_.attrs.entries()) {
        if (key != changed) fewer.set(key, value);
        other.set(key, key == changed ? ir::AttrValue(0.5) : value);
      }
      if (changed != "batch_axes" && changed != "ties" && changed != "count")
        expect_refused(node_.operands, fewer, "no " + changed);
      expect_refused(node_.operands, other, "a number as " + changed);
    }
    Attrs unknown = node_.attrs;
    unknown.set("flavour", std::int64_t{1});
    expect_refused(node_.operands, unknown, "an unknown attribute");
  }

  void operand(std::size_t i) {
    if (op_.name == "barrier") return;  // takes anything
    const Type type = node_.operands[i].type();
    std::vector<Value> operands = node_.operands;
    ir::Builder b(graph_);
    const bool alone = operands.size() == 1, is_indexed = op_.name == "gather" || op_.name == "scatter_add";
    for (const DType t : kAllDTypes) {
      if (t == type.dtype) continue;
      const auto& admitted = op_.dtypes;
      const bool refused_first = !admitted.empty() && std::find(admitted.begin(), admitted.end(), t) == admitted.end();
      if (i == 0 ? !refused_first && (alone || is_indexed) : alone) continue;
      operands[i] = b.input("other", {t, type.dims});
      expect_refused(operands, node_.attrs, "operand " + std::to_string(i) + " of " + operands[i].type().str());
    }
    // Operands go together: one of another rank does not fit, but for the indices of a gather, which may have any.
    if (alone || op_.name == "gather") return;
    Type longer = type;
    longer.dims.emplace_back(7);
    if (op_.name == "dot" || (op_.name == "pad" && i == 0)) longer.dims = {};  // more axes would be free ones
    if (longer == type || op_.name == "dot") return;
    operands[i] = b.input("longer", longer);
    expect_refused(operands, node_.attrs, "operand " + std::to_string(i) + " of " + longer.str());
  }

  const OpDef& op_;
  ir::Graph graph_;
  const ir::Node& node_;
};

class RefusalsTest : public testing::Test {
 public:
  explicit RefusalsTest(const OpDef& op) : op_(op) {}
  void TestBody() override {
    const auto samples = samples_of(op_);
    ASSERT_FALSE(samples.empty());
    for (const Sample& s : samples) {
      SCOPED_TRACE(s.name);
      ASSERT_NE(node_of(s, op_), nullptr);
      Refusals(op_, s).check();
    }
  }

 private:
  const OpDef& op_;
};

const bool kRegistered = [] {
  for (const OpDef& op : ir::all_ops())
    if (!op.is(ir::kKernelOnly) && op.name != "fusion")
      testing::RegisterTest("registry_refusals", std::string(op.name).c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [&op]() -> testing::Test* { return new RefusalsTest(op); });
  return true;
}();

}  // namespace
}  // namespace gcompile::registry
