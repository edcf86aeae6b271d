// Straight-line code without end is cut into kernels, so that the time to compile it grows with its length only.
#include <gtest/gtest.h>

#include <algorithm>

#include "gcompile/codegen/compile.h"
#include "gcompile/ir/op.h"
#include "gcompile/ir/parse.h"
#include "gcompile/passes/fuse.h"

namespace gcompile::passes {
namespace {

std::ptrdiff_t kernels_of_chain(int length) {
  std::string text = "graph @main(%x: f32[8]) {\n  %0 = sin(%x) : f32[8]\n";
  for (int i = 1; i < length; ++i)
    text += "  %" + std::to_string(i) + " = sin(%" + std::to_string(i - 1) + ") : f32[8]\n";
  const ir::Graph fused =
      fuse(ir::parse_graph(text + "  return %" + std::to_string(length - 1) + "\n}\n"), {codegen::default_target()});
  const auto nodes = fused.topological();
  return std::count_if(nodes.begin(), nodes.end(), [](const ir::Node* n) { return n->op->name == "fusion"; });
}

TEST(Fuse, AKernelOfLoopsHasAMostNumberOfNodes) {
  EXPECT_EQ(kernels_of_chain(500), 1);
  EXPECT_GE(kernels_of_chain(600), 2);
  EXPECT_GE(kernels_of_chain(3000), 2 * kernels_of_chain(600));
}

}  // namespace
}  // namespace gcompile::passes
