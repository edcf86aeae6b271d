// The sums over samples of an anchored nest: lane l of a partial sum adds the samples n with n mod 16 = l, in ascending
// n, whatever strips there are; at the end a fixed tree adds the lanes. Inside a strip the partial sums are made block
// by block, as many at a time as a core keeps in registers.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "gcompile/passes/axes.h"
#include "gcompile/passes/element.h"

namespace gcompile::passes {

class NestSums {
 public:
  // `sums` are reductions and dots that fold the anchor away.
  NestSums(BodyLowering& c, const AxisClasses& classes, int anchor_class, std::vector<const ir::Node*> sums);

  // All sums as values that one loop over the samples carries.
  std::vector<int> initial() const;
  std::vector<ir::VType> types() const;
  std::vector<int> add(std::span<const int> before, const Dim& sample);
  void keep(std::span<const int> after);

  // What the vectors 0 .. count - 1 of a strip add. `begin` makes the loop's variable the vector at hand, and gives its
  // sample.
  using Begin = std::function<Dim(const Dim& vector)>;
  void add_strip(const Dim& strip, const Dim& count, const Begin& begin);

  // After the last one: sums the lanes and places the values.
  void finish();

 private:
  struct Element {
    const ir::Node* node;
    ir::Index at;
  };
  // Sums of one dtype and one way to combine lie one after the other, so that lanes are summed 16 at a time.
  struct Group {
    std::string partial, total;
    std::string_view combine;
    DType dtype;
    std::int64_t size = 0;
  };
  struct Where {
    std::size_t group;
    std::int64_t offset;
  };

  std::vector<Element> elements() const;
  ir::Index place(const Element& e) const;
  const std::string& partial(const Element& e) const { return groups_[where_.at(e.node).group].partial; }
  int identity(const ir::Node* n) const;
  int add_sample(const Element& e, int before, const Dim& sample);
  int is_own(const Element& e, int index);
  ir::Index operand_index(const Element& e, int operand, const std::vector<std::size_t>& groups, const ir::Index& k,
                          const Dim& sample) const;
  void add_block(const std::vector<Element>& block, const Dim& strip, const Dim& count, const Begin& begin);
  void add_large(const ir::Node* n, const std::function<void(const std::vector<Element>&)>& add);

  BodyLowering& c_;
  KernelBuilder& b_;
  const AxisClasses& classes_;
  int anchor_class_;
  std::vector<const ir::Node*> sums_;
  std::vector<Group> groups_;
  std::map<const ir::Node*, Where> where_;
};

}  // namespace gcompile::passes
