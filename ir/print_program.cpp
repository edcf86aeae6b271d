// The text of programs: what is launched, then where every buffer lives. A line begins with "launch" exactly when it is
// a launch, so that launches can be counted with grep.
#include "gcompile/ir/print.h"
#include "gcompile/ir/program.h"

namespace gcompile::ir {
namespace {

std::string role_name(BufferRole role) {
  switch (role) {
    case BufferRole::kInput: return "input";
    case BufferRole::kState: return "state";
    case BufferRole::kResult: return "result";
    case BufferRole::kTemp: return "temp";
    case BufferRole::kConstant: return "constant";
  }
  return "?";
}

class ProgramPrinter {
 public:
  explicit ProgramPrinter(const Program& program) : program_(program), module_(program.module) {}

  std::string run() {
    std::string symbols;
    for (const std::string& s : program_.symbols) symbols += (symbols.empty() ? "" : ", ") + s;
    out_ = "program @" + print_name(module_.name) + "(" + symbols + ")\n" + print_bounds(module_.bounds) +
           print_requirements(module_.requirements);
    for (const Launch& l : program_.launches) print_launch(l);
    for (std::size_t i = 0; i < module_.buffers.size(); ++i) print_buffer(i);
    for (std::size_t i = 0; i < program_.slots.size(); ++i) {
      std::string sizes;
      for (const Dim& d : program_.slots[i].sizes) sizes += (sizes.empty() ? "" : ", ") + d.str();
      out_ += "slot " + std::to_string(i) + ": max(" + sizes + ") bytes" +
              (program_.slots[i].per_worker ? " a thread" : "") + "\n";
    }
    if (program_.status >= 0) out_ += "status " + name_of(program_.status) + "\n";
    for (const StateCopy& c : program_.copies) out_ += "copy " + name_of(c.state) + " = " + name_of(c.from) + "\n";
    return std::move(out_);
  }

 private:
  std::string name_of(int buffer) const {
    const bool known = buffer >= 0 && static_cast<std::size_t>(buffer) < module_.buffers.size();
    return known ? print_name(module_.buffers[static_cast<std::size_t>(buffer)].name) : "?";
  }

  void print_launch(const Launch& l) {
    const Kernel& k = module_.kernels.at(static_cast<std::size_t>(l.kernel));
    const Instr* loop = k.parallel_loop();
    out_ += "launch @" + print_name(k.name) + (loop ? " parallel over " + loop->extent.str() : "") +
            print_locations(k.locations) + "\n";
  }

  void print_buffer(std::size_t i) {
    const Buffer& b = module_.buffers[i];
    out_ += "buffer " + print_name(b.name) + ": " + b.type.str() + " " + role_name(b.role);
    const int slot = i < program_.placements.size() ? program_.placements[i].slot : -1;
    if (b.alias >= 0)
      out_ += " in place of " + name_of(b.alias);
    else if (slot >= 0)
      out_ += " in slot " + std::to_string(slot);
    out_ += "\n";
  }

  const Program& program_;
  const KernelModule& module_;
  std::string out_;
};

}  // namespace

std::string print(const Program& program) { return ProgramPrinter(program).run(); }

}  // namespace gcompile::ir
