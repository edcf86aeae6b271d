#include "gcompile/codegen/check/check.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <utility>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/gradient_check.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/pipeline.h"
#include "gcompile/passes/specialize.h"

namespace gcompile::codegen {
namespace {

using passes::Pass;
using passes::PassContext;
using passes::Stage;

std::string label(const DimValues& dims) {
  std::string text;
  for (const auto& [name, value] : dims) text += (text.empty() ? "" : ", ") + name + " = " + std::to_string(value);
  return text.empty() ? text : text + ": ";
}

// One call and what it should give.
struct Case {
  Call call;
  BoundedOutcome expected;
};

// The standard passes of a level, without one of them.
Stage run_standard(Stage stage, const PassContext& context, bool graph_passes, std::string_view without = "") {
  for (const std::string_view name : passes::standard_pipeline()) {
    const Pass& p = *passes::find_pass(name);
    const bool takes_graph = p.run.index() <= 1, is_graph_pass = p.run.index() == 0;
    if (name == without || is_graph_pass != graph_passes) continue;
    if (takes_graph == std::holds_alternative<ir::Graph>(stage)) stage = passes::run_pass(p, stage, context);
  }
  return stage;
}

// The nests, by their anchors and what they hold. A graph of constant extents does not say which of them are one batch,
// so that for parts that are not connected another nest may be found; then sums have another order. What loops over one
// sample hold (passes/one_sample.h) has been rewritten, but they keep the anchor.
struct Nest {
  std::vector<std::int64_t> anchor;
  std::size_t results;
  bool one_sample;
  std::vector<const ir::OpDef*> ops;
  friend bool operator==(const Nest& a, const Nest& b) {
    return a.anchor == b.anchor && a.results == b.results && (a.one_sample || b.one_sample || a.ops == b.ops);
  }
};
void add_nests(const ir::Graph& graph, std::vector<Nest>& nests);
std::vector<Nest> nests_of(const ir::Graph& graph, const PassContext& context) {
  std::vector<Nest> nests;
  const Stage fused = run_standard(graph, context, true);
  add_nests(std::get<ir::Graph>(fused), nests);
  return nests;
}
void add_nests(const ir::Graph& graph, std::vector<Nest>& nests) {
  for (const ir::Node* n : graph.topological()) {
    if (n->op->is(ir::kControl))
      for (const auto& body : n->bodies) add_nests(*body, nests);
    if (n->op->name != "fusion") continue;
    const auto& anchor = n->attrs.ints("anchor");
    if (std::all_of(anchor.begin(), anchor.end(), [](std::int64_t a) { return a < 0; })) continue;
    nests.push_back({anchor, n->types.size(), n->attrs.get<std::string>("kind") != "nest", {}});
    for (const ir::Node* inner : n->body().topological()) nests.back().ops.push_back(inner->op);
  }
}

class Check {
 public:
  Check(const ir::Graph& graph, const CheckOptions& options) : graph_(graph), options_(options) {}

  CheckReport run() {
    if (!attempt("verify", "the graph verifies", [&] { ir::verify(graph_); })) return report_;
    if (!attempt("interpreter", "the interpreter runs", [&] { make_cases(); })) return report_;
    for (std::size_t t = 0; t < options_.targets.size() && !stopped(); ++t) check_target(options_.targets[t], t == 0);
    if (options_.gradient && has_loss(graph_) && !stopped()) attempt("gradient", "gradient", [&] { gradients(); });
    return report_;
  }

 private:
  bool stopped() const { return !report_.ok() && options_.stop_at_failure; }

  void add(const std::string& guilty, const std::string& what, const std::string& text, bool ok) {
    report_.lines.push_back({what, text, ok});
    if (ok || !report_.ok()) return;
    report_.guilty = guilty;
    report_.message = what + ": " + text;
  }

  // What throws is a failure of `guilty`.
  template <class F>
  bool attempt(const std::string& guilty, const std::string& what, F&& f) {
    try {
      f();
      return true;
    } catch (const std::exception& e) {
      add(guilty, what, e.what(), false);
      return false;
    }
  }

  void make_cases() {
    for (const DimValues& dims : options_.sizes) {
      Call call = sample_call(graph_, dims, options_.seed);
      BoundedOutcome expected = interpret_with_bounds(graph_, call);
      cases_.push_back({std::move(call), std::move(expected)});
    }
  }

  Compiled compiled(ir::Program program, const Target& target, int threads = 1) const {
    Compiled code(std::move(program), target, threads, options_.quick);
    if (options_.allocate) code.set_allocator(options_.allocate);
    return code;
  }

  void check_target(const Target& target, bool first) {
    const PassContext context{target, options_.memory_budget};
    Stage stage = graph_;
    if (!graph_passes(stage, context, first)) return;
    const std::string at = target.name + ", ";
    std::string guilty = "lower";
    std::vector<Outcome> outcomes;
    std::optional<ir::KernelModule> module;
    const bool runs = attempt(guilty, at + "compile", [&] {
      for (const std::string_view name : passes::standard_pipeline()) {
        const Pass& p = *passes::find_pass(name);
        if (p.run.index() == 0) continue;
        guilty = name;
        if (p.run.index() == 3) module = std::get<ir::KernelModule>(stage);
        stage = passes::run_pass(p, stage, context);
        passes::verify(stage);
      }
      guilty = "code generation";
      Compiled code = compiled(std::get<ir::Program>(stage), target);
      for (const Case& c : cases_) outcomes.push_back(code.run(c.call));
    });
    if (!runs) {
      report_.guilty = report_.guilty == "lower" ? guilty : report_.guilty;
      return;
    }
    for (std::size_t i = 0; i < cases_.size() && !stopped(); ++i) {
      const Difference d = compare_within(cases_[i].expected, outcomes[i]);
      add(d.ok() ? "" : blame(target, cases_[i]), label(cases_[i].call.dims) + "compiled for " + target.name, d.str(),
          d.ok());
    }
    if (stopped()) return;
    if (first && options_.kernel_text) kernel_text(*module, target, outcomes);
    if (first && options_.unshared) unshared(std::get<ir::Program>(stage), target, outcomes);
    if (first) constant_extents(target, outcomes);
    if (first) threads(target, outcomes);
    other_targets(target, outcomes);
  }

  // The graph after every pass, by the interpreter. `loud`: with a line each.
  bool graph_passes(Stage& stage, const PassContext& context, bool loud) {
    std::vector<Outcome> before;
    for (const Case& c : cases_) before.push_back(c.expected.values);
    std::string text;  // of the graph that was interpreted last
    for (const std::string_view pass_name : passes::standard_pipeline()) {
      const Pass& p = *passes::find_pass(pass_name);
      if (p.run.index() != 0) continue;
      const std::string name(pass_name);
      const bool fine = attempt(name, "interpreter, after " + name, [&] {
        stage = passes::run_pass(p, stage, context);
        const auto& graph = std::get<ir::Graph>(stage);
        ir::verify(graph);
        std::string now = ir::print(graph);
        const bool unchanged = std::exchange(text, std::move(now)) == text;
        for (std::size_t i = 0; i < cases_.size() && !stopped(); ++i) {
          const Outcome after = unchanged ? before[i] : interpret(graph, cases_[i].call);
          const bool exact = name != "contract";
          const Difference d = exact ? compare_bits(before[i], after) : compare_within(cases_[i].expected, after);
          if (!d.ok() || loud) add(name, label(cases_[i].call.dims) + "interpreter, after " + name, d.str(), d.ok());
          before[i] = after;
        }
      });
      if (!fine || stopped()) return false;
    }
    return true;
  }

  void kernel_text(const ir::KernelModule& module, const Target& target, const std::vector<Outcome>& outcomes) {
    const std::string what = "kernels printed and parsed";
    attempt("kernel text", what, [&] {
      const std::string text = ir::print(module);
      const ir::KernelModule parsed = ir::parse_kernel_module(text);
      if (ir::print(parsed) != text) return add("kernel text", what, "the text changes", false);
      Compiled code = compiled(passes::run_pipeline(parsed, {target}), target);
      for (std::size_t i = 0; i < cases_.size(); ++i) {
        const Difference d = compare_bits(outcomes[i], code.run(cases_[i].call));
        add("kernel text", label(cases_[i].call.dims) + what, d.str(), d.ok());
      }
    });
  }

  // With memory of its own for everything the program gives the same bits.
  void unshared(const ir::Program& program, const Target& target, const std::vector<Outcome>& outcomes) {
    attempt("plan-memory", "nothing in place or shared", [&] {
      Compiled code = compiled(without_sharing(program), target);
      for (std::size_t i = 0; i < cases_.size(); ++i) {
        const Difference d = compare_bits(outcomes[i], code.run(cases_[i].call));
        add("plan-memory", label(cases_[i].call.dims) + "nothing in place or shared", d.str(), d.ok());
      }
    });
  }

  void constant_extents(const Target& target, const std::vector<Outcome>& outcomes) {
    if (graph_.symbols().empty()) return;
    attempt("specialize", "constant extents", [&] {
      for (std::size_t i = 0; i < std::min(cases_.size(), options_.constant_extents) && !stopped(); ++i) {
        const ir::Graph fixed = passes::specialize(graph_, cases_[i].call.dims);
        const bool alike = nests_of(fixed, {target}) == nests_of(graph_, {target});
        Compiled code = compiled(passes::run_pipeline(fixed, {target}), target);
        const Outcome outcome = code.run(cases_[i].call);
        const Difference d = alike ? compare_bits(outcomes[i], outcome) : compare_within(cases_[i].expected, outcome);
        add("symbolic extents", label(cases_[i].call.dims) + "compiled for these extents against any",
            d.str() + (alike ? "" : " (another nest)"), d.ok());
      }
    });
  }

  // Three threads, whatever the work, give the bits of one.
  void threads(Target target, const std::vector<Outcome>& outcomes) {
    if (!options_.threads) return;
    target.serial_cutoff = 0;
    attempt("parallelize", "three threads", [&] {
      ir::Program program = passes::run_pipeline(graph_, {target});
      const auto& kernels = program.module.kernels;
      if (std::none_of(kernels.begin(), kernels.end(), [](const ir::Kernel& k) { return k.is_parallel(); })) return;
      Compiled code = compiled(std::move(program), target, 3);
      for (std::size_t i = 0; i < cases_.size(); ++i) {
        const Difference d = compare_bits(outcomes[i], code.run(cases_[i].call));
        add("parallelize", label(cases_[i].call.dims) + "three threads against one", d.str(), d.ok());
      }
    });
  }

  // Targets that contract alike give the same bits.
  void other_targets(const Target& target, const std::vector<Outcome>& outcomes) {
    for (const auto& [other, theirs] : done_) {
      if (other.has_fma != target.has_fma) continue;
      for (std::size_t i = 0; i < cases_.size(); ++i) {
        const Difference d = compare_bits(theirs[i], outcomes[i]);
        add("code generation", label(cases_[i].call.dims) + target.name + " against " + other.name, d.str(), d.ok());
      }
      break;
    }
    done_.emplace_back(target, outcomes);
  }

  // Which pass below the graph makes the result wrong: the one without which it is right.
  std::string blame(const Target& target, const Case& c) {
    const PassContext context{target, options_.memory_budget};
    const auto right = [&](const std::function<ir::Program()>& make) {
      try {
        return compare_within(c.expected, Compiled(make(), target).run(c.call)).ok();
      } catch (const std::exception&) {
        return false;
      }
    };
    const Stage lowered = run_standard(graph_, context, true);
    for (const char* name : {"simplify-index", "schedule"})
      if (right([&] { return std::get<ir::Program>(run_standard(lowered, context, false, name)); })) return name;
    if (right([&] { return without_sharing(std::get<ir::Program>(run_standard(lowered, context, false))); }))
      return "plan-memory";
    for (const Target& other : options_.targets) {
      std::string why;
      if (other.name == target.name || !runs_here(other, &why)) continue;
      try {
        const ir::Program program = passes::run_pipeline(graph_, {other});
        if (compare_within(c.expected, Compiled(program, other).run(c.call)).ok())
          return "code generation for " + target.name;
      } catch (const std::exception&) {
        continue;
      }
    }
    return "lower, expand-math or code generation";
  }

  bool uses_stop_gradient() const {
    const auto nodes = graph_.topological();
    return std::any_of(nodes.begin(), nodes.end(), [](const ir::Node* n) { return n->op->is(ir::kStopsGradient); });
  }

  void gradients() {
    for (const Case& c : cases_)
      for (const GradientCheck& g : check_gradient(graph_, c.call)) {
        const auto number = [](double x) { return Array(x).str(); };
        const std::string what = label(c.call.dims) + "gradient by " + g.name + " along a direction";
        std::string text = number(g.analytic) + ", by differences " + number(g.numeric);
        if (std::isinf(g.allowed)) text += ", at a kink: not compared";
        // Differences do not see stop_gradient, which is there to make the gradient another one.
        const bool stopped = !g.ok() && uses_stop_gradient();
        if (stopped) text += ", with stop_gradient: not compared";
        add("gradient", what, text, g.ok() || stopped);
      }
  }

  const ir::Graph& graph_;
  const CheckOptions& options_;
  CheckReport report_;
  std::vector<Case> cases_;
  std::vector<std::pair<Target, std::vector<Outcome>>> done_;
};

}  // namespace

CheckReport check(const ir::Graph& graph, const CheckOptions& options) { return Check(graph, options).run(); }

}  // namespace gcompile::codegen
