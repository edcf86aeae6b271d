// The driver: the standard passes, then LLVM.
#include "gcompile/codegen/compile.h"

#include "gcompile/base/error.h"
#include "gcompile/codegen/dump.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/pipeline.h"

namespace gcompile::codegen {
namespace {

std::vector<Location> input_locations(const ir::Graph& graph) {
  std::vector<Location> where;
  for (const ir::Graph::Input& input : graph.inputs) {
    const std::vector<Location>& known = graph.where(input.value.node);
    where.push_back(known.empty() ? Location{} : known.front());
  }
  return where;
}

}  // namespace

std::shared_ptr<runtime::Executable> compile(const ir::Graph& graph, const CompileOptions& options) {
  passes::PipelineOptions pipeline;
  pipeline.verify_each = options.verify_each;
  pipeline.check_nan = options.check_nan;
#ifndef NDEBUG
  pipeline.verify_each = true;
#endif
  Dump dump = Dump::from_environment(graph.name);
  if (dump.active()) dump.write("trace", "graph", ir::print(graph));
  if (options.after_pass || dump.active())
    pipeline.after_pass = [&](const passes::Pass& pass, const passes::Stage& stage, double) {
      const std::string text = passes::print(stage);
      dump.write(std::string(pass.name), std::string(passes::level(stage)), text);
      if (options.after_pass) options.after_pass(std::string(pass.name), text);
    };
  ir::Program program = passes::run_pipeline(graph, {options.target}, pipeline);
  if (dump.active()) {
    dump.write("llvm", "llvm", emit_llvm(program, options.target));
    dump.write("asm", "asm", emit_assembly(program, options.target));
  }
  runtime::NativeCode code = jit(program, options.target);
  auto executable = std::make_shared<runtime::Executable>(std::move(program), std::move(code), input_locations(graph));
  if (options.check_nan) executable->graph = std::make_shared<ir::Graph>(graph);
  // Printed on demand; the function lives in the executable that it points to.
  executable->dump = [e = executable.get(), graph, target = options.target](const std::string& stage) -> std::string {
    if (stage == "graph") return passes::print(graph);
    if (stage == "kernel") return ir::print(e->program().module);
    if (stage == "program") return ir::print(e->program());
    if (stage == "llvm") return emit_llvm(e->program(), target);
    if (stage == "asm") return emit_assembly(e->program(), target);
    throw Error("no stage is called \"" + stage + "\"; there are graph, kernel, program, llvm, asm");
  };
  return executable;
}

}  // namespace gcompile::codegen
