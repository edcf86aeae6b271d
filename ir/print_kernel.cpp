// The text of kernel modules; the grammar stands in parse_kernel.cpp. Values are numbered in the order in which they
// are defined, whatever their ids are, so that texts can be compared.

#include "gcompile/ir/kernel.h"
#include "gcompile/ir/print.h"
#include "gcompile/ir/regions.h"

namespace gcompile::ir {
namespace {

std::string print_index(const Index& index) {
  std::string text;
  for (const Dim& d : index) text += (text.empty() ? "" : ", ") + d.str();
  return "[" + text + "]";
}

class KernelPrinter {
 public:
  KernelPrinter(const KernelModule& module, const Kernel& kernel) : module_(module), kernel_(kernel) {}

  std::string run() {
    out_ = "  kernel @" + print_name(kernel_.name) + print_region(module_, kernel_.region) +
           print_locations(kernel_.locations) + " {\n";
    for (const std::string& r : kernel_.reasons) out_ += "    reason " + quote(r) + "\n";
    for (const Scratch& s : kernel_.scratch) {
      std::string extents;
      for (const std::int64_t e : s.extents) extents += (extents.empty() ? "" : ",") + std::to_string(e);
      out_ += "    scratch " + print_name(s.name) + ": " + std::string(gcompile::name(s.dtype)) + "[" + extents + "] " +
              (s.kind == Scratch::Kind::kRegister ? "register" : "stack") + "\n";
    }
    print_block(kernel_.body, "    ");
    return out_ + "  }\n";
  }

 private:
  std::string define(int id) {
    const std::string text = "%" + std::to_string(names_.size());
    names_.emplace(id, text);
    return text;
  }
  std::string use(int id) const {
    const auto it = names_.find(id);
    return it == names_.end() ? "%undefined" : it->second;
  }
  std::string uses(const std::vector<int>& ids) const {
    std::string text;
    for (const int id : ids) text += (text.empty() ? "" : ", ") + use(id);
    return text;
  }
  std::string mask(const Instr& i) const { return i.mask < 0 ? "" : " mask " + use(i.mask); }

  std::string loc(const Instr& i) const {
    if (i.where < 0 || static_cast<std::size_t>(i.where) >= kernel_.locations.size()) return "";
    return print_locations({kernel_.locations[static_cast<std::size_t>(i.where)]});
  }

  void print_block(const Block& block, const std::string& indent) {
    for (const Instr& i : block) {
      if (i.opcode == Opcode::kFor) {
        print_for(i, indent);
        continue;
      }
      if (i.opcode == Opcode::kContract) {
        print_contract(i, indent);
        continue;
      }
      const std::string text = print_plain(i);
      const std::string results = i.results.empty() ? "" : define(i.results[0]) + " = ";
      out_ += indent + results + text + loc(i) + "\n";
    }
  }

  // Everything but loops, without the result on the left.
  std::string print_plain(const Instr& i) const {
    const std::string type = " : " + i.type.str();
    switch (i.opcode) {
      case Opcode::kOp: return std::string(i.op ? i.op->name : "?") + "(" + uses(i.operands) + ")" + type;
      case Opcode::kLiteral: return "literal " + print_number(i.type.dtype, i.literal) + type;
      case Opcode::kIndex: return "index " + (i.index.empty() ? "?" : i.index[0].str()) + type;
      case Opcode::kLoad:
        return "load " + print_name(i.memory) + print_index(i.index) +
               (i.operands.empty() ? "" : " with (" + uses(i.operands) + ")") + mask(i) + type;
      case Opcode::kStore:
        return "store " + print_name(i.memory) + print_index(i.index) + " = " +
               uses({i.operands.begin(), i.operands.begin() + std::min<std::ptrdiff_t>(1, std::ssize(i.operands))}) +
               (i.operands.size() < 2 ? "" : " with (" + uses({i.operands.begin() + 1, i.operands.end()}) + ")") +
               mask(i);
      case Opcode::kLaneReduce:
        return "lane_reduce " + std::string(i.op ? i.op->name : "?") + " " + print_name(i.memory) + " = " +
               print_name(i.source) + " extent " + i.extent.str();
      case Opcode::kLoadTransposed:
        return "transpose " + print_name(i.memory) + " = " + print_name(i.source) + print_index(i.index) + " columns " +
               i.extent.str() + mask(i);
      case Opcode::kStoreTransposed:
        return "transpose " + print_name(i.memory) + print_index(i.index) + " = " + print_name(i.source) + " columns " +
               i.extent.str() + mask(i);
      case Opcode::kPrefetch: return "prefetch " + print_name(i.memory) + print_index(i.index);
      case Opcode::kFor:
      case Opcode::kContract: break;
    }
    return "?";
  }

  // %3, %4 = for i in 0 .. 8 unroll (%1 = %0, %2 = %0) : (f32, f32x16) { ... yield %5, %6 }
  // The results are numbered after the body, as they are defined by it.
  void print_for(const Instr& i, const std::string& indent) {
    std::string head = "for " + i.var + " in 0 .. " + i.extent.str();
    if (i.loop == LoopKind::kUnroll) head += " unroll";
    if (i.loop == LoopKind::kInterleave) head += " interleave";
    if (i.loop == LoopKind::kParallel) head += " parallel";
    if (!i.operands.empty()) {
      std::string carried, types;
      for (std::size_t k = 0; k < i.operands.size(); ++k) {
        const std::string initial = use(i.operands[k]);
        carried += (k ? ", " : "") + (k < i.arguments.size() ? define(i.arguments[k]) : "?") + " = " + initial;
        types += (k ? ", " : "") + (k < i.types.size() ? i.types[k].str() : "?");
      }
      head += " (" + carried + ") : (" + types + ")";
    }
    const std::size_t begin = out_.size();
    print_block(i.body, indent + "  ");
    if (!i.yields.empty()) out_ += indent + "  yield " + uses(i.yields) + "\n";
    std::string results;
    for (const int r : i.results) results += (results.empty() ? "" : ", ") + define(r);
    out_.insert(begin, indent + (results.empty() ? "" : results + " = ") + head + loc(i) + " {\n");
    out_ += indent + "}\n";
  }

  // contract %0 = x[i, k] * w[k, j] for (i in 0 .. N, j in 0 .. 8) sum (k in 0 .. 4) : f32 { ... }
  void print_contract(const Instr& i, const std::string& indent) {
    const auto access = [](const Access& a) { return print_name(a.memory) + print_index(a.index); };
    const auto box = [](const std::vector<Axis>& axes) {
      std::string text;
      for (const Axis& a : axes) text += (text.empty() ? "" : ", ") + a.var + " in 0 .. " + a.extent.str();
      return "(" + text + ")";
    };
    out_ += indent + "contract " + (i.arguments.empty() ? "?" : define(i.arguments[0])) + " = " + access(i.left) +
            " * " + access(i.right) + " for " + box(i.axes) + " sum " + box(i.sums) +
            (i.partials > 1 ? " partials " + std::to_string(i.partials) : "") + " : " +
            (i.types.empty() ? "?" : i.types[0].str()) + loc(i) + " {\n";
    print_block(i.body, indent + "  ");
    out_ += indent + "}\n";
  }

  const KernelModule& module_;
  const Kernel& kernel_;
  std::string out_;
  std::map<int, std::string> names_;
};

std::string print_buffer(const KernelModule& m, const Buffer& b) {
  const auto line = [&](const char* role) { return std::string(role) + " " + print_name(b.name) + ": "; };
  switch (b.role) {
    case BufferRole::kInput: return line("input") + b.type.str();
    case BufferRole::kState:
      return line("state") + b.type.str() + print_order(b.order) + (b.trainable ? "" : " frozen");
    case BufferRole::kResult: return line("result") + b.type.str();
    case BufferRole::kConstant: return line("constant") + print_array(b.data);
    case BufferRole::kTemp: break;
  }
  const bool aliased = b.alias >= 0 && static_cast<std::size_t>(b.alias) < m.buffers.size();
  return line("temp") + b.type.str() + (b.per_worker ? " per_worker" : "") +
         (aliased ? " alias " + print_name(m.buffers[static_cast<std::size_t>(b.alias)].name) : "");
}

}  // namespace

std::string print(const KernelModule& module) {
  std::string out = "kernels @" + print_name(module.name) + " {\n" + print_bounds(module.bounds) +
                    print_requirements(module.requirements);
  for (const Buffer& b : module.buffers) out += "  " + print_buffer(module, b) + "\n";
  for (const Region& r : module.regions) out += "  " + print_region(module, r) + "\n";
  for (const Kernel& k : module.kernels) out += KernelPrinter(module, k).run();
  for (const auto& u : module.updates) out += "  update " + print_name(u.state) + " = " + print_name(u.value) + "\n";
  return out + "}\n";
}

}  // namespace gcompile::ir
