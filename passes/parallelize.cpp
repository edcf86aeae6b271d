#include "gcompile/passes/parallelize.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "gcompile/passes/region_memory.h"
#include "gcompile/passes/tile.h"
#include "gcompile/passes/work.h"

namespace gcompile::passes {
namespace {

using ir::Instr;
using ir::Opcode;

bool is_read(const Instr& i, const std::string& memory) {
  return (i.opcode == Opcode::kLoad && i.memory == memory) || i.source == memory;
}
bool is_written(const Instr& i, const std::string& memory) {
  return i.opcode != Opcode::kLoad && i.opcode != Opcode::kPrefetch && i.memory == memory;
}

// Calls f for a statement and all inside it, in order.
void walk(const Instr& statement, const std::function<void(const Instr&)>& f) {
  f(statement);
  for (const Instr& i : statement.body) walk(i, f);
}

std::set<std::string> memories(const Instr& statement) {
  std::set<std::string> names;
  walk(statement, [&](const Instr& i) {
    if (!i.memory.empty()) names.insert(i.memory);
    if (!i.source.empty()) names.insert(i.source);
  });
  return names;
}

// Scalars that any number of kernels may make again.
bool is_pure(const Instr& i) {
  return i.opcode == Opcode::kOp || i.opcode == Opcode::kLiteral || i.opcode == Opcode::kIndex ||
         i.opcode == Opcode::kLoad;
}

// Whether an iteration fills a memory before it reads it: the first access stores to it, without a mask, or under the
// mask that all accesses have, at their one index: a row of less than a vector. That the stores before the first read
// are of all that is read is otherwise how lowering uses such memory; it is not checked.
bool is_filled_first(const Instr& loop, const std::string& memory) {
  const Instr* first = nullptr;
  bool alike = true;
  walk(loop, [&](const Instr& i) {
    if (!is_read(i, memory) && !is_written(i, memory)) return;
    if (!first) first = &i;
    alike &=
        (i.opcode == Opcode::kLoad || i.opcode == Opcode::kStore) && i.index == first->index && i.mask == first->mask;
  });
  if (!first || !is_written(*first, memory) || is_read(*first, memory)) return false;
  const bool masked =
      (first->opcode == Opcode::kStore || first->opcode == Opcode::kStoreTransposed) && first->mask >= 0;
  return !masked || alike;
}

bool writes_by(const Instr& loop, const std::string& memory, const std::string& var) {
  bool all = true;
  walk(loop, [&](const Instr& i) {
    if (is_written(i, memory))
      all &= (i.opcode == Opcode::kStore || i.opcode == Opcode::kStoreTransposed) &&
             std::any_of(i.index.begin(), i.index.end(), [&](const Dim& d) { return d.uses(var); });
  });
  return all;
}

// The variables of all loops inside a statement.
void inner_variables(const Instr& statement, std::set<std::string>& vars) {
  for (const Instr& i : statement.body) {
    if (i.opcode == Opcode::kFor) vars.insert(i.var);
    inner_variables(i, vars);
  }
}

// Whether all accesses of a loop to a memory agree in one entry of their index, which is another number in each
// iteration: then an iteration reads nothing of it but what it stores itself.
bool reads_its_own(const Instr& loop, const std::string& memory, std::size_t rank) {
  std::set<std::string> inner{ir::kLaneSymbol};
  inner_variables(loop, inner);
  std::vector<const ir::Index*> indices;
  bool plain = true;
  walk(loop, [&](const Instr& i) {
    if (!is_read(i, memory) && !is_written(i, memory)) return;
    // Of the two sides of a transposed access the index is that of the one with rows.
    const bool indexed = i.opcode == Opcode::kLoad || i.opcode == Opcode::kStore ||
                         (i.opcode == Opcode::kLoadTransposed && i.source == memory) ||
                         (i.opcode == Opcode::kStoreTransposed && i.memory == memory);
    plain &= indexed && i.index.size() == rank;
    indices.push_back(&i.index);
  });
  const auto is_own = [&](const Dim& d) {
    const auto step = d.coefficient_of(loop.var);
    if (!step || !step->is_constant() || step->is(0)) return false;
    const std::set<std::string> used = d.symbols();
    return std::none_of(used.begin(), used.end(), [&](const std::string& s) { return s[0] == '$' || inner.count(s); });
  };
  for (std::size_t a = 0; plain && a < rank; ++a)
    if (is_own((*indices[0])[a]) &&
        std::all_of(indices.begin(), indices.end(), [&](const ir::Index* i) { return (*i)[a] == (*indices[0])[a]; }))
      return true;
  return false;
}

class Splitter {
 public:
  Splitter(ir::KernelModule& module, const Target& target) : module_(module), target_(target) {
    for (const ir::Kernel& k : module.kernels)
      for (const Instr& s : k.body)
        for (const std::string& name : memories(s))
          if (!is_filled_first(s, name)) kept_.insert(name);
    for (const auto& u : module.updates) kept_.insert(u.value);  // read after the last kernel
    const RegionMemory regions(module);
    for (std::size_t b = 0; b < module.buffers.size(); ++b)
      if (regions.is_kept(static_cast<int>(b))) kept_.insert(module.buffers[b].name);
  }

  std::vector<ir::Kernel> split(const ir::Kernel& kernel) {
    if (!is_splittable(kernel)) return {kernel};
    std::vector<ir::Kernel> parts;
    std::vector<Instr> scalars;
    bool open = false;  // the last part takes more serial statements
    for (const Instr& statement : kernel.body) {
      if (is_pure(statement)) {
        scalars.push_back(statement);
        if (open) parts.back().body.push_back(statement);
        continue;
      }
      const bool parallel = is_parallel(kernel, statement);
      if (parallel || !open) {
        parts.push_back(shell(kernel, parts.size()));
        parts.back().body = scalars;
      }
      parts.back().body.push_back(statement);
      open = !parallel;
      if (!parallel) continue;
      parts.back().body.back().loop = ir::LoopKind::kParallel;
      for (const std::string& name : private_memories(kernel, statement))
        module_.buffers[static_cast<std::size_t>(module_.find_buffer(name))].per_worker = true;
      parts.back().reasons.push_back("parallel over " + statement.extent.str() + " iterations of " + statement.var);
    }
    if (std::none_of(parts.begin(), parts.end(), [](const ir::Kernel& k) { return k.is_parallel(); })) return {kernel};
    for (ir::Kernel& part : parts) drop_unused(part);
    return parts;
  }

 private:
  // Statements leave each other nothing but scalars and buffers.
  static bool is_splittable(const ir::Kernel& kernel) {
    std::map<std::string, int> statements;
    std::set<std::string> kept;
    for (const Instr& s : kernel.body) {
      if (is_pure(s) && s.type.lanes) return false;
      if (is_pure(s) && kernel.find_scratch(s.memory)) return false;
      if (!is_pure(s) && !s.results.empty()) return false;
      if (is_pure(s)) continue;
      for (const std::string& name : memories(s))
        if (kernel.find_scratch(name)) {
          ++statements[name];
          if (!is_filled_first(s, name)) kept.insert(name);
        }
    }
    return std::none_of(kept.begin(), kept.end(), [&](const std::string& name) { return statements[name] > 1; });
  }

  bool is_parallel(const ir::Kernel& kernel, const Instr& s) const {
    if (s.opcode != Opcode::kFor || s.loop != ir::LoopKind::kSerial || !s.types.empty()) return false;
    if (s.extent.is_constant() && s.extent.constant() < 2) return false;
    const Dim work = work_of(s);
    if (work.is_constant() && work.constant() < target_.serial_cutoff) return false;
    for (const std::string& name : memories(s)) {
      bool read = false, written = false;
      walk(s, [&](const Instr& i) {
        read |= is_read(i, name);
        written |= is_written(i, name);
      });
      if (kernel.find_scratch(name)) {
        if (!is_filled_first(s, name)) return false;
        continue;
      }
      const ir::Buffer& b = module_.buffer(name);
      if (b.alias >= 0 || (written && b.role == ir::BufferRole::kState)) return false;
      if (!written) continue;
      const bool shared = read && !reads_its_own(s, name, b.type.dims.size());
      if (writes_by(s, name, s.var) ? shared : !is_private(name)) return false;
    }
    return true;
  }

  // A temporary that whoever uses it has filled before, in the same iteration.
  bool is_private(const std::string& name) const {
    return module_.buffer(name).role == ir::BufferRole::kTemp && !kept_.count(name);
  }

  std::vector<std::string> private_memories(const ir::Kernel& kernel, const Instr& s) const {
    std::vector<std::string> names;
    for (const std::string& name : memories(s)) {
      bool written = false;
      walk(s, [&](const Instr& i) { written |= is_written(i, name); });
      if (written && !kernel.find_scratch(name) && !writes_by(s, name, s.var)) names.push_back(name);
    }
    return names;
  }

  static ir::Kernel shell(const ir::Kernel& kernel, std::size_t part) {
    ir::Kernel k = kernel;
    if (part > 0) k.name += "." + std::to_string(part);
    k.body.clear();
    return k;
  }

  // Scratch and scalars that the part does not use.
  static void drop_unused(ir::Kernel& part) {
    std::set<std::string> used;
    for (const Instr& s : part.body) used.merge(memories(s));
    std::erase_if(part.scratch, [&](const ir::Scratch& s) { return !used.count(s.name); });
    std::set<int> values;
    for (std::size_t i = part.body.size(); i-- > 0;) {
      const Instr& s = part.body[i];
      if (is_pure(s) && std::none_of(s.results.begin(), s.results.end(), [&](int r) { return values.count(r); })) {
        part.body.erase(part.body.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      walk(s, [&](const Instr& inner) {
        values.insert(inner.operands.begin(), inner.operands.end());
        values.insert(inner.yields.begin(), inner.yields.end());
        values.insert(inner.mask);
      });
    }
  }

  ir::KernelModule& module_;
  const Target& target_;
  std::set<std::string> kept_;  // buffers that keep something from one statement for another
};

}  // namespace

ir::KernelModule parallelize(const ir::KernelModule& module, const PassContext& context) {
  refuse_contracts(module, "parallelize");
  ir::KernelModule out = module;
  Splitter splitter(out, context.target);
  std::vector<ir::Kernel> kernels;
  for (const ir::Kernel& k : module.kernels)
    for (ir::Kernel& part : splitter.split(k)) kernels.push_back(std::move(part));
  out.kernels = std::move(kernels);
  return out;
}

}  // namespace gcompile::passes
