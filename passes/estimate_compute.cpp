#include "gcompile/passes/estimate_compute.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "gcompile/passes/estimate_units.h"

namespace gcompile::passes {
namespace {

using ir::Block;
using ir::Instr;
using ir::Opcode;

// Of the reorder window: schedulers fill with operations that wait long before it does.
constexpr double kWaiting = 0.6;
constexpr double kNever = -std::numeric_limits<double>::infinity();

// A block, once. What the window overlaps is added up by unit; long loops stand for themselves, one after the other.
struct Time {
  Units units = {};
  double depth = 0;       // cycles of the longest chain of dependent instructions, but for long loops
  double chain = kNever;  // of them, from an argument of the block to a value that it yields
  double fixed = 0;       // cycles of long loops
};

class Walk {
 public:
  Walk(const ir::Kernel& kernel, const SymbolValue& symbols, const Target& target, int threads)
      : kernel_(kernel), symbols_(symbols), target_(target), rates_(target.rates), threads_(threads),
        values_(static_cast<std::size_t>(kernel.values)) {}

  double run() {
    const Time t = block(kernel_.body, nullptr);
    return t.fixed + std::max(cycles(t.units), t.depth);
  }

 private:
  struct Value {
    int scope = -1;  // the block that made it; inside of loops of that block it is there from the beginning
    double ready = 0, chain = kNever;
  };
  struct Memory {  // what a block stored to it last
    int scope = -1;
    double ready = 0, chain = kNever;
  };

  double extent_of(const Dim& d) const {
    const std::int64_t n = d.evaluate([&](const std::string& s) {
      const auto it = variables_.find(s);
      return it == variables_.end() ? symbols_(s) : it->second;
    });
    return static_cast<double>(std::max<std::int64_t>(n, 0));
  }

  bool is_register(const std::string& memory) const {
    const ir::Scratch* s = kernel_.find_scratch(memory);
    return s && s->kind == ir::Scratch::Kind::kRegister;
  }

  // The loop that a block is the body of has its arguments ready at 0; null for a kernel's body.
  Time block(const Block& b, const Instr* loop) {
    const int around = scope_;
    scope_ = ++scopes_;
    Time t;
    if (loop)
      for (const int a : loop->arguments) value(a) = {scope_, 0, 0};
    for (const Instr& i : b) add(i, t);
    if (loop)
      for (const int y : loop->yields)
        if (value(y).scope == scope_) t.chain = std::max(t.chain, value(y).chain);
    scope_ = around;
    return t;
  }

  Value& value(int id) { return values_[static_cast<std::size_t>(id)]; }

  void add(const Instr& i, Time& t) {
    double start = 0, chain = kNever;
    const auto awaits = [&](int id) {
      if (id < 0 || value(id).scope != scope_) return;
      start = std::max(start, value(id).ready);
      chain = std::max(chain, value(id).chain);
    };
    for (const int id : i.operands) awaits(id);
    awaits(i.mask);
    const auto reads = [&](const std::string& name) {
      const auto it = stored_.find(name);
      if (it == stored_.end() || it->second.scope != scope_) return;
      const double forwarded = is_register(name) ? 0 : rates_.forwarding;
      start = std::max(start, it->second.ready + forwarded);
      chain = std::max(chain, it->second.chain + forwarded);
    };
    if (i.opcode == Opcode::kFor) {
      each_operand(i.body, awaits);
      for (const std::string& name : accessed(i, false)) reads(name);
      const double took = loop(i, t);
      finish(i, start + took, chain + took, t);
      for (const std::string& name : accessed(i, true)) stores(name, start + took, chain + took);
      return;
    }
    if (i.opcode == Opcode::kLoad) reads(i.memory);
    if (!i.source.empty()) reads(i.source);
    const bool in_register = (i.opcode == Opcode::kLoad || i.opcode == Opcode::kStore) && is_register(i.memory);
    double latency = 0;
    if (!in_register) {
      add_units(i, target_, t.units);
      latency = latency_of(i, rates_);
    }
    finish(i, start + latency, chain + latency, t);
    if (i.opcode != Opcode::kLoad && i.opcode != Opcode::kPrefetch && !i.memory.empty())
      stores(i.memory, start + latency, chain + latency);
  }

  static void each_operand(const Block& b, const std::function<void(int)>& f) {
    for (const Instr& i : b) {
      std::for_each(i.operands.begin(), i.operands.end(), f);
      f(i.mask);
      each_operand(i.body, f);
    }
  }

  void finish(const Instr& i, double ready, double chain, Time& t) {
    for (const int r : i.results) value(r) = {scope_, ready, chain};
    t.depth = std::max(t.depth, ready);
  }

  void stores(const std::string& name, double ready, double chain) {
    Memory& m = stored_[name];
    if (m.scope != scope_) m = {scope_, 0, kNever};
    m.ready = std::max(m.ready, ready);
    m.chain = std::max(m.chain, chain);
  }

  // Adds a loop to the block around it, and gives the cycles that its results come after its operands.
  double loop(const Instr& i, Time& t) {
    double n = extent_of(i.extent);
    if (i.loop == ir::LoopKind::kParallel && threads_ > 1) n = std::ceil(n / threads_);
    if (n == 0) return 0;
    const auto outer = variables_.find(i.var);
    const std::int64_t before = outer == variables_.end() ? -1 : outer->second;
    variables_[i.var] = 0;
    const Time first = block(i.body, &i);
    // A strip or a tile may be shorter in the end.
    Time last = first;
    if (n > 1 && has_extent_of(i.body, i.var)) {
      variables_[i.var] = static_cast<std::int64_t>(n) - 1;
      last = block(i.body, &i);
    }
    if (before < 0)
      variables_.erase(i.var);
    else
      variables_[i.var] = before;

    const bool unrolled = ir::is_unrolled(i.loop);
    Units units{};
    for (std::size_t u = 0; u < units.size(); ++u) units[u] = (n - 1) * first.units[u] + last.units[u];
    if (!unrolled) units[kIssue] += 2 * n / rates_.issue;
    const double window = kWaiting * target_.reorder_window / rates_.issue;
    const double chain = std::max(first.chain, 0.0);
    const double depth = first.depth + (n - 1) * chain;
    if (unrolled || (first.fixed == 0 && last.fixed == 0 && units[kIssue] <= window)) {
      for (std::size_t u = 0; u < units.size(); ++u) t.units[u] += units[u];
      t.fixed += (n - 1) * first.fixed + last.fixed;
      return depth;
    }
    const auto iteration = [&](const Time& x) {
      const double overlapped = x.depth * std::min(1.0, x.units[kIssue] / window);
      return x.fixed + std::max({cycles(x.units), chain, overlapped});
    };
    // The last iteration has nothing behind it to overlap with.
    const double drain = first.fixed > 0 ? 0 : std::max(0.0, first.depth - iteration(first)) / 2;
    t.fixed += (n - 1) * iteration(first) + iteration(last) + drain + rates_.loop;
    return 0;
  }

  static bool has_extent_of(const Block& b, const std::string& var) {
    return std::any_of(b.begin(), b.end(), [&](const Instr& i) {
      return i.opcode == Opcode::kFor && (i.extent.uses(var) || has_extent_of(i.body, var));
    });
  }

  const ir::Kernel& kernel_;
  const SymbolValue& symbols_;
  const Target& target_;
  const Rates& rates_;
  int threads_;
  int scope_ = 0, scopes_ = 0;
  std::vector<Value> values_;
  std::map<std::string, Memory> stored_;
  std::map<std::string, std::int64_t> variables_;
};

}  // namespace

double compute_cycles(const ir::Kernel& kernel, const SymbolValue& symbols, const Target& target, int threads) {
  return Walk(kernel, symbols, target, threads).run();
}

}  // namespace gcompile::passes
