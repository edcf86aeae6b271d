// Compiled code against the interpreter, bit by bit, on every named target that runs here.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gcompile/codegen/check/compare.h"
#include "gcompile/codegen/compile.h"

namespace gcompile {

inline codegen::Outcome compiled(const ir::Graph& graph, const codegen::Call& call, const std::string& target) {
  codegen::CompileOptions options;
  options.target = codegen::target_named(target);
  options.cache = "off";
  std::vector<const Array*> inputs;
  for (const Array& a : call.inputs) inputs.push_back(&a);
  codegen::Outcome out;
  out.results.resize(graph.results.size());
  codegen::compile(graph, options)->run(inputs, out.results);
  return out;
}

inline void expect_like_interpreter(const ir::Graph& graph, const codegen::Call& call, const std::string& what) {
  const codegen::Outcome expected = codegen::interpret(graph, call);
  for (const std::string& target : codegen::target_names()) {
    if (!codegen::runs_here(codegen::target_named(target), nullptr)) continue;
    const auto difference = codegen::compare_bits(expected, compiled(graph, call, target));
    EXPECT_TRUE(difference.ok()) << what << " on " << target << ": " << difference.str();
  }
}

}  // namespace gcompile
