// Groups of matrices that have to lie in memory alike, and what the products that read them would pay for either order:
// the analysis of layout.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gcompile/ir/graph.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

class LayoutGroups {
 public:
  LayoutGroups(const ir::Graph& graph, const Target& target);

  // Whether the value is a matrix of a group that is turned: its transpose stands for it.
  bool is_turned(ir::Value v) const;

 private:
  struct Group {
    bool has_state = false;
    bool fixed = false;            // something needs it as it is
    double as_is = 0, turned = 0;  // elements that products transpose in a call
    bool first_wants_turned = false;
    bool has_product = false;
    bool pinned_as_is = false, pinned_turned = false;  // by storages of its states

    bool turns() const;
  };

  int find(ir::Value v) const;
  void unite(ir::Value a, ir::Value b);
  void add_producer(const ir::Node& node);
  void add_reader(const ir::Node& node);
  void add_product(const ir::Node& dot, int operand);
  void count(ir::Value matrix, std::int64_t contracted);
  Group* group_of(ir::Value v);

  const ir::Graph& graph_;
  const Target& target_;
  ir::ValueMap<int> numbers_;  // of matrices
  mutable std::vector<int> parents_;
  std::map<int, Group> groups_;  // by root
};

// A dot of two matrices along one axis of each: its only contracting axes.
struct MatrixProduct {
  std::int64_t left, right;
};
std::optional<MatrixProduct> as_matrix_product(const ir::Node& node);

// A transpose of a matrix that does swap its axes.
bool swaps_axes(const ir::Node& node);

// The order of axes that swaps those of a matrix.
inline const AxisOrder kTurned{1, 0};

}  // namespace gcompile::passes
