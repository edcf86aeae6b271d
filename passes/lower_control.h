// Control flow in lower: a loop or a branch becomes regions of the module, in which the kernels of its bodies are.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "gcompile/ir/control.h"
#include "gcompile/passes/lower_module.h"

namespace gcompile::passes {

class ControlLowering {
 public:
  // Makes kernels that put values of the graph at hand into buffers.
  using Fill = std::function<void(const std::vector<Output>& wanted)>;

  ControlLowering(LoweredModule& out, Fill fill) : out_(out), fill_(std::move(fill)) {}

  // Whether it is a loop or a branch; then it is done.
  bool lower(const ir::Node& n);

 private:
  using Names = std::vector<std::string>;

  void loop(const ir::Node& n, const ir::ControlParts& parts);
  void while_loop(const ir::Node& n, const ir::ControlParts& parts);
  void branches(const ir::Node& n, const ir::ControlParts& parts);

  void body(const ir::Graph& g, int region, const Names& inputs, const Names& outputs);
  int add_region(ir::Region::Kind kind, int parent);
  ir::Region& region(int i) { return out_.module().regions[static_cast<std::size_t>(i)]; }
  std::string add_carry(int r, const ir::Graph::Input& input, const std::string& out, const std::string& initial,
                        const std::string& result);
  Names operand_buffers(const ir::Node& n, const ir::ControlParts& parts);
  Names result_buffers(const ir::Node& n);

  LoweredModule& out_;
  Fill fill_;
};

// Views that the loops of a graph look through at their sequences.
std::set<const ir::Node*> views_of_sequences(const ir::Graph& graph);

}  // namespace gcompile::passes
