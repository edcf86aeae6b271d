// The invariants of the whole compiler, each under its letter:
//   (a) every pass preserves the interpreter's results bit for bit, but for contraction, which has bounds;
//   (b) the same bits for symbolic and constant extents, any order of calls, any alignment, updates in place or not;
//   (c) an epoch with a ragged tail compiles once, and the arena's use equals the plan;
//   (d) buffers poisoned with NaN at the end of their lifetime change nothing, and a swap update is right;
//   (e) every node, kernel and launch carries a line of the user's.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <sstream>

#include "gcompile/codegen/check/compare.h"
#include "gcompile/ir/parse.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/check_nan.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/graphs.h"
#include "tests/support/raw_program.h"

namespace gcompile {
namespace {

using codegen::Call;
using codegen::Compiled;
using codegen::Outcome;
using testing::NamedGraph;
using testing::RawProgram;

const Dim kN("N");

ir::Program program_of(const ir::Graph& graph) {
  return passes::run_pipeline(graph, {codegen::default_target()}, {.verify_each = true, .after_pass = nullptr});
}

std::vector<const passes::Pass*> graph_passes() {
  std::vector<const passes::Pass*> list;
  for (const std::string_view name : passes::standard_pipeline())
    if (const passes::Pass* p = passes::find_pass(name); p->run.index() == 0) list.push_back(p);
  return list;
}

// (a) ----------------------------------------------------------------------------------------------------------------

TEST(InvariantA, EveryPassPreservesTheInterpretersBits) {
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    const Call call = codegen::sample_call(graph, {{"N", 21}}, 7);
    const codegen::BoundedOutcome first = codegen::interpret_with_bounds(graph, call);
    Outcome before = first.values;
    passes::Stage stage = graph;
    for (const passes::Pass* p : graph_passes()) {
      stage = passes::run_pass(*p, stage, {codegen::default_target()});
      const Outcome after = codegen::interpret(std::get<ir::Graph>(stage), call);
      const codegen::Difference d =
          p->name == "contract" ? codegen::compare_within(first, after) : codegen::compare_bits(before, after);
      EXPECT_TRUE(d.ok()) << name << ", after " << p->name << ": " << d.worst;
      before = after;
    }
  }
}

TEST(InvariantA, CompiledCodeIsWithinTheBounds) {
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    Compiled code(program_of(graph), codegen::default_target());
    for (const std::int64_t n : {1, 16, 21, 70}) {
      const Call call = codegen::sample_call(graph, {{"N", n}}, 7);
      const codegen::Difference d =
          codegen::compare_within(codegen::interpret_with_bounds(graph, call), code.run(call));
      EXPECT_TRUE(d.ok()) << name << ", N = " << n << ": " << d.worst;
      EXPECT_LT(d.uncertain * 4, d.compared) << name << ": the bounds say too little";
    }
  }
}

// (b) ----------------------------------------------------------------------------------------------------------------

TEST(InvariantB, SymbolicAndConstantExtentsGiveTheSameBits) {
  const auto symbolic = testing::whole_program_graphs(kN);
  for (const std::int64_t n : {1, 7, 16, 37}) {
    const auto constant = testing::whole_program_graphs(Dim(n));
    for (std::size_t i = 0; i < symbolic.size(); ++i) {
      const Call call = codegen::sample_call(symbolic[i].graph, {{"N", n}}, 3);
      const Outcome a = Compiled(program_of(symbolic[i].graph), codegen::default_target()).run(call);
      const Outcome b = Compiled(program_of(constant[i].graph), codegen::default_target()).run(call);
      EXPECT_EQ(codegen::compare_bits(a, b).worst, "") << symbolic[i].name << ", N = " << n;
    }
  }
}

TEST(InvariantB, TheOrderOfCallsDoesNotMatter) {
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    Compiled code(program_of(graph), codegen::default_target());
    std::map<std::int64_t, Outcome> first;
    for (const std::int64_t n : {5, 33, 16, 1}) first[n] = code.run(codegen::sample_call(graph, {{"N", n}}, 5));
    for (const std::int64_t n : {1, 16, 5, 33, 33, 5})
      EXPECT_EQ(codegen::compare_bits(first[n], code.run(codegen::sample_call(graph, {{"N", n}}, 5))).worst, "")
          << name << ", N = " << n;
  }
}

TEST(InvariantB, TheAlignmentOfInputsAndResultsDoesNotMatter) {
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    const Call call = codegen::sample_call(graph, {{"N", 21}}, 5);
    RawProgram aligned(program_of(graph), codegen::default_target(), call);
    aligned.run();
    for (const std::size_t offset : {4, 8, 20, 60}) {
      RawProgram moved(program_of(graph), codegen::default_target(), call, offset);
      moved.run();
      EXPECT_EQ(codegen::compare_bits(aligned.outcome(), moved.outcome()).worst, "") << name << " at +" << offset;
    }
  }
}

TEST(InvariantB, UpdatesInPlaceAndApartGiveTheSameBits) {
  bool some_in_place = false;
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    const ir::Program shared = program_of(graph);
    for (const ir::Buffer& b : shared.module.buffers) some_in_place |= b.alias >= 0;
    Compiled in_place(shared, codegen::default_target());
    Compiled apart(codegen::without_sharing(shared), codegen::default_target());
    const Call call = codegen::sample_call(graph, {{"N", 21}}, 5);
    EXPECT_EQ(codegen::compare_bits(in_place.run(call), apart.run(call)).worst, "") << name;
  }
  EXPECT_TRUE(some_in_place);
}

TEST(InvariantB, TheCheckForNaNChangesNoBit) {
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    passes::PipelineOptions options;
    options.check_nan = options.verify_each = true;
    const Target target = codegen::default_target();
    Compiled plain(program_of(graph), target), checked(passes::run_pipeline(graph, {target}, options), target);
    for (const std::int64_t n : {1, 21, 70}) {
      const Call call = codegen::sample_call(graph, {{"N", n}}, 5);
      EXPECT_EQ(codegen::compare_bits(plain.run(call), checked.run(call)).worst, "") << name << ", N = " << n;
    }
  }
}

// (c) ----------------------------------------------------------------------------------------------------------------

struct Net : nn::Module {
  nn::Linear hidden{this, "hidden", 8, 6}, head{this, "head", 6, 1};
  Tensor forward(Tensor x) const { return sigmoid(head(sigmoid(hidden(x)))); }
};

TEST(InvariantC, AnEpochWithARaggedTailCompilesOnce) {
  Net model;
  TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
  const Array x = codegen::sample({DType::kF32, {759, 8}}, {}, 0, "x");
  const Array y = Array::full(DType::kF32, {759, 1}, 1);
  for (std::int64_t begin = 0; begin < 759; begin += 32)
    step(x.rows(begin, std::min<std::int64_t>(begin + 32, 759)),
         y.rows(begin, std::min<std::int64_t>(begin + 32, 759)));
  EXPECT_EQ(step.variant_count(), 1u);
  EXPECT_EQ(step.compiled().peak_bytes(), 0);
}

TEST(InvariantC, TheArenasUseEqualsThePlan) {
  const ir::Program program = program_of(testing::batch_norm_graph(kN));
  ASSERT_FALSE(program.slots.empty());
  for (const std::int64_t n : {1, 21, 70}) {
    const Call call = codegen::sample_call(testing::batch_norm_graph(kN), {{"N", n}}, 5);
    std::int64_t planned = 0;  // bytes of the slots, without the gaps between them
    for (const ir::Slot& slot : program.slots) {
      std::int64_t size = 0;
      for (const Dim& d : slot.sizes) size = std::max(size, d.evaluate(call.dims));
      planned += size;
    }
    // Whatever is in the arena before, the same bytes are written and no others.
    std::vector<bool> used;
    for (const std::byte fill : {std::byte{0x55}, std::byte{0xaa}}) {
      RawProgram raw(program, codegen::default_target(), call);
      EXPECT_EQ(raw.arena_bytes(), program.peak_bytes(call.dims));
      raw.fill_arena(fill);
      raw.run();
      EXPECT_TRUE(raw.guards_hold(fill)) << "N = " << n;
      used.resize(static_cast<std::size_t>(raw.arena_bytes()));
      for (std::size_t i = 0; i < used.size(); ++i) used[i] = used[i] || raw.arena()[i] != fill;
    }
    EXPECT_EQ(std::count(used.begin(), used.end(), true), planned) << "N = " << n;
  }
}

// (d) ----------------------------------------------------------------------------------------------------------------

// Index of the last launch whose kernel names the buffer, in its text, so that nothing of plan-memory is believed.
int last_use(const ir::Program& program, const std::string& buffer) {
  int last = -1;
  for (std::size_t l = 0; l < program.launches.size(); ++l) {
    ir::KernelModule one;
    one.kernels = {program.module.kernels[static_cast<std::size_t>(program.launches[l].kernel)]};
    std::istringstream text(ir::print(one));
    for (std::string word; text >> word;)
      if (word == buffer || word.substr(0, buffer.size() + 1) == buffer + "[") last = static_cast<int>(l);
  }
  return last;
}

TEST(InvariantD, PoisonAfterTheEndOfALifetimeChangesNothing) {
  int poisoned = 0;
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    const Call call = codegen::sample_call(graph, {{"N", 21}}, 5);
    const ir::Program program = program_of(graph);
    RawProgram whole(program, codegen::default_target(), call), poison(program, codegen::default_target(), call);
    whole.run();
    std::set<int> copied;
    for (const ir::StateCopy& c : program.copies) copied.insert(c.from);
    for (std::size_t l = 0; l < program.launches.size(); ++l) {
      poison.launch(l);
      for (std::size_t b = 0; b < poison.buffers().size(); ++b) {
        const ir::Buffer& buffer = poison.buffers()[b];
        const bool temporary = buffer.role == ir::BufferRole::kTemp && buffer.alias < 0;
        const bool input = buffer.role == ir::BufferRole::kInput;
        if ((!temporary && !input) || copied.count(static_cast<int>(b))) continue;
        if (last_use(program, buffer.name) != static_cast<int>(l)) continue;
        poison.poison(b);
        ++poisoned;
      }
    }
    poison.copy_states();
    EXPECT_EQ(codegen::compare_bits(whole.outcome(), poison.outcome()).worst, "") << name;
  }
  EXPECT_GE(poisoned, 8);
}

TEST(InvariantD, ASwapUpdateReadsOldValues) {
  const ir::Graph graph = testing::swap_graph(kN);
  const Call call = codegen::sample_call(graph, {{"N", 3}}, 5);
  Compiled code(program_of(graph), codegen::default_target());
  const Outcome out = code.run(call);
  const Array &v = call.states.at("v"), &w = call.states.at("w"), &u = call.states.at("u");
  EXPECT_TRUE(same_bits(out.states.at("v"), w));
  EXPECT_TRUE(same_bits(out.states.at("w"), v));
  for (std::int64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(out.states.at("u").at(i), static_cast<float>(v.at(i) + w.at(i)));
    const double column = call.inputs[0].at(i) + call.inputs[0].at(5 + i) + call.inputs[0].at(10 + i);
    EXPECT_NEAR(out.states.at("t").at(i), u.at(i) * column, 1e-6);
  }
}

// (e) ----------------------------------------------------------------------------------------------------------------

// Lines of this repository's tests stand for the user's program; the library's own files must never show.
bool is_users(const Location& l) {
  const std::string text = l.str();
  return l.known() && l.line > 0 && (text.rfind("network.h:", 0) == 0 || text.rfind("graphs.h:", 0) == 0);
}

void expect_located(const ir::Graph& graph, const std::string& what) {
  for (const ir::Node* n : graph.topological()) {
    const auto& where = graph.where(n);
    EXPECT_TRUE(!where.empty() && std::all_of(where.begin(), where.end(), is_users))
        << what << ": " << n->op->name << ir::print_locations(where) << " in " << graph.name;
    for (const auto& body : n->bodies) expect_located(*body, what);
  }
}

void expect_located(const ir::Block& block, const ir::Kernel& kernel, const std::string& what) {
  for (const ir::Instr& i : block) {
    EXPECT_TRUE(i.where >= 0 && is_users(kernel.locations.at(static_cast<std::size_t>(i.where))))
        << what << ": an instruction of " << kernel.name;
    expect_located(i.body, kernel, what);
  }
}

TEST(InvariantE, EveryNodeKernelAndLaunchCarriesAUsersLine) {
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    expect_located(graph, name + ", as traced");
    expect_located(passes::check_nan(graph, {}), name + ", after check-nan");
    passes::Stage stage = graph;
    for (const std::string_view pass : passes::standard_pipeline()) {
      stage = passes::run_pass(*passes::find_pass(pass), stage, {codegen::default_target()});
      const std::string what = name + ", after " + std::string(pass);
      if (const auto* g = std::get_if<ir::Graph>(&stage)) expect_located(*g, what);
      const auto* m = std::get_if<ir::KernelModule>(&stage);
      if (const auto* program = std::get_if<ir::Program>(&stage)) m = &program->module;
      if (!m) continue;
      for (const ir::Kernel& k : m->kernels) {
        EXPECT_FALSE(k.locations.empty()) << what;
        expect_located(k.body, k, what);
      }
    }
    std::istringstream text(passes::print(stage));
    for (std::string line; std::getline(text, line);) {
      if (line.rfind("launch", 0) == 0) {
        EXPECT_NE(line.find("loc(\""), std::string::npos) << line;
      }
    }
  }
}

// The location of a line survives to the very node that it made: a loss in one line, its gradient in the next.
// In kernels too, for a nest and for loops, an instruction has the line of the op that it is of.
TEST(InvariantE, InstructionsHaveTheLineOfTheirOp) {
  for (const char* sum : {"", "  %4 = reduce_sum(%3) {axes = [0]} : f32[] loc(\"m.cpp\":5)\n"}) {
    const std::string text = "graph @lines(%x: f32[N] loc(\"m.cpp\":1)) {\n"
                             "  %1 = tanh(%x) : f32[N] loc(\"m.cpp\":2)\n"
                             "  %2 = exp(%1) : f32[N] loc(\"m.cpp\":3)\n"
                             "  %3 = sqrt(%2) : f32[N] loc(\"m.cpp\":4)\n" +
                             std::string(sum) + "  return " + (*sum ? "%4" : "%3") + "\n}\n";
    passes::Stage stage = ir::parse_graph(text);
    for (const char* pass : {"fuse", "lower"})
      stage = passes::run_pass(*passes::find_pass(pass), stage, {codegen::default_target()});
    std::map<std::string, std::uint32_t> lines;
    const auto& module = std::get<ir::KernelModule>(stage);
    const std::function<void(const ir::Kernel&, const ir::Block&)> walk = [&](const ir::Kernel& k,
                                                                              const ir::Block& block) {
      for (const ir::Instr& i : block) {
        if (i.op && i.where >= 0) lines[std::string(i.op->name)] = k.locations[static_cast<std::size_t>(i.where)].line;
        walk(k, i.body);
      }
    };
    for (const ir::Kernel& k : module.kernels) walk(k, k.body);
    EXPECT_EQ(lines["tanh"], 2u) << ir::print(module);
    EXPECT_EQ(lines["exp"], 3u);
    EXPECT_EQ(lines["sqrt"], 4u);
  }
}

TEST(InvariantE, LinesAreThoseThatMadeTheNode) {
  Trace trace("lines");
  const Tensor x = trace.input("x", {DType::kF32, {4}}, Where::current());
  const State s("s", Array(DType::kF32, {4}));
  const auto first = static_cast<std::uint32_t>(__LINE__ + 1);
  const Tensor e = exp(x);
  const Tensor t = tanh(Tensor(s));
  const Tensor loss = sum(e * t);
  s.set(grad(loss, Tensor(s)));
  const std::vector<Tensor> results{loss};
  passes::Stage stage = trace.finish(results, Where::current());
  const auto line_of = [&](std::string_view op) {
    std::set<std::uint32_t> lines;
    const ir::Graph& g = std::get<ir::Graph>(stage);
    for (const ir::Node* n : g.topological())
      if (n->op->name == op)
        for (const Location& l : g.where(n)) lines.insert(l.line);
    return lines;
  };
  // What the gradient of tanh is made of belongs to the line of tanh, not to that of grad.
  EXPECT_TRUE(line_of("mul").count(first + 1));
  EXPECT_FALSE(line_of("mul").count(first + 3));
  for (const passes::Pass* p : graph_passes()) {
    if (p->name == "fuse") break;
    stage = passes::run_pass(*p, stage, {codegen::default_target()});
    EXPECT_TRUE(line_of("exp").count(first)) << p->name;
    EXPECT_FALSE(line_of("exp").count(first + 1)) << p->name;
    EXPECT_EQ(line_of("tanh"), std::set<std::uint32_t>{first + 1}) << p->name;
    EXPECT_TRUE(line_of("reduce_sum").count(first + 2)) << p->name;
    EXPECT_FALSE(line_of("reduce_sum").count(first)) << p->name;
  }
  // The instruction that computes it still knows its line.
  for (const std::string_view pass : {"fuse", "lower", "simplify-index"})
    stage = passes::run_pass(*passes::find_pass(pass), stage, {codegen::default_target()});
  std::set<std::uint32_t> exp_lines;
  const std::function<void(const ir::Block&, const ir::Kernel&)> collect = [&](const ir::Block& block,
                                                                               const ir::Kernel& kernel) {
    for (const ir::Instr& i : block) {
      if (i.op && i.op->name == "exp") exp_lines.insert(kernel.locations.at(static_cast<std::size_t>(i.where)).line);
      collect(i.body, kernel);
    }
  };
  for (const ir::Kernel& k : std::get<ir::KernelModule>(stage).kernels) collect(k.body, k);
  EXPECT_EQ(exp_lines, std::set<std::uint32_t>{first});
}

}  // namespace
}  // namespace gcompile
