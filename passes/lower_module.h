// The module that `lower` fills: its buffers, its kernels, and which value of the graph at hand is in which buffer. The
// graph at hand is the one that is lowered, or a body while its kernels are made.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gcompile/passes/lower.h"

namespace gcompile::passes {

// What only is when something has made it: no leaf.
bool is_computed(ir::Value v);

class LoweredModule {
 public:
  LoweredModule(const ir::Graph& graph, const PassContext& context);

  ir::KernelModule& module() { return module_; }
  const ir::Graph& graph() const { return *graph_; }
  int region() const { return region_; }  // in which kernels are made; -1: in none

  // What `make` makes belongs to a body, whose inputs are these buffers, and to its region.
  void inside(const ir::Graph& body, int region, const std::vector<std::string>& inputs,
              const std::function<void()>& make);

  // Adds a buffer with a name that no other buffer has; characters that are no identifier's become '_'.
  std::string add(std::string name, const Type& type, ir::BufferRole role);
  bool has_buffer(ir::Value v) const { return names_.count(v) > 0; }
  void set_buffer(ir::Value v, const std::string& buffer) { names_[v] = buffer; }
  // The buffer of a value, added if it has none yet.
  std::string buffer_of(ir::Value v);

  // The kernel of a fusion, in buffers of its operands and results.
  void add_fusion(const ir::Node& fusion);
  // One that copies a leaf, or a result that has a buffer already.
  void add_copy(const Output& to);

 private:
  void add_kernel(const ir::Node& node, const ir::Graph& body, const std::vector<std::string>& inputs,
                  const std::string& reason, const std::function<void(BodyLowering&)>& fill);
  void check_target(const ir::Graph& body) const;

  const PassContext& context_;
  ir::KernelModule module_;
  const ir::Graph* graph_;
  ir::ValueMap<std::string> names_;
  int region_ = -1;
};

}  // namespace gcompile::passes
