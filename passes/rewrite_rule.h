// Rewrite rules as text, for simplify: a pattern over op names, and what stands for what matched.
//
//   add(a, neg(b))    ops of the table by name; the operands of commutative ops match in either order
//   a, b, c, x        single letters match any value; a letter that occurs twice matches the same value twice
//   k                 this letter matches a constant only, one all of whose elements have the same bits
//   0, -0, 1, true    such a constant with exactly this value; in a replacement: one of the root's type
//
// A replacement is such a text too, or a function for what attributes decide; both may have a side condition.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "gcompile/ir/graph.h"

namespace gcompile::passes {

// What a pattern was matched with.
struct Match {
  std::array<ir::Value, 26> letters{};  // by letter
  std::vector<const ir::Node*> nodes;   // that the pattern's ops matched, the root first, then left to right

  ir::Value operator()(char letter) const { return letters[static_cast<std::size_t>(letter - 'a')]; }
  const ir::Node& root() const { return *nodes.front(); }
  const ir::Node& inner() const { return *nodes[1]; }
  const Type& type() const { return root().types.front(); }
};

using Condition = bool (*)(const Match&);
// Makes the replacement; an empty Value: the rule does not apply after all.
using Replace = ir::Value (*)(const Match&, ir::Builder&);

struct Rule {
  std::string_view pattern;
  std::variant<std::string_view, Replace> replacement;
  Condition when = nullptr;
};

// Side conditions, on the type of the root's first operand.
bool is_integer(const Match& m);
bool is_f32(const Match& m);
bool is_floating(const Match& m);
bool is_bool(const Match& m);

// The value of all elements, when the value is a constant or a broadcast of one that has the same bits everywhere: as a
// scalar of its type, and as a number, which is exact for floats and for integers up to 2^53.
std::optional<Array> splat_constant(ir::Value v);
std::optional<double> splat_value(ir::Value v);

// Makes the nodes of a pattern or a replacement, with these values for its letters and numbers.
struct Leaves {
  std::function<ir::Value(char)> letter;
  std::function<ir::Value(double)> number;
};
ir::Value build_term(std::string_view text, const Leaves& leaves, ir::Builder& b);

// A set of rules, parsed once, found by the op of their root.
class RuleSet {
 public:
  explicit RuleSet(std::initializer_list<std::span<const Rule>> families);
  RuleSet(RuleSet&&) noexcept;
  ~RuleSet();

  // Applies the first rule that matches the node to it; an empty Value when none does. `rule`, if given, gets it.
  ir::Value apply(const ir::Node& node, ir::Builder& b, const Rule** rule = nullptr) const;

 private:
  struct Parsed;
  std::unordered_map<const ir::OpDef*, std::vector<Parsed>> by_root_;
};

}  // namespace gcompile::passes
