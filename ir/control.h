// What an op does with the bodies of a node, as its record says it: what passes read in place of the op's name.
#pragma once

#include "gcompile/ir/op.h"

namespace gcompile::ir {

// Operands come in this order: those that decide, which bodies do not see; the carries; the sequences; the others.
// Input i of a body is operand `deciding` + i, of a sequence an element. Results of a body are those of the node - of a
// loop the carries, then for each of the others an element -, those of a test one bool.
struct ControlParts {
  enum class Kind : std::uint8_t {
    kCall,      // the first body
    kLoop,      // the body once in each of `steps`
    kWhile,     // the second body as long as the first, the test, says true
    kBranches,  // the first body where operand 0 holds, else the second
  };

  Kind kind = Kind::kCall;
  std::size_t deciding = 0, carries = 0, sequences = 0;
  Dim steps = 0;         // of kLoop
  bool reverse = false;  // the last step first

  bool is_loop() const { return kind == Kind::kLoop || kind == Kind::kWhile; }
  bool is_test(std::size_t body) const { return kind == Kind::kWhile && body == 0; }
  bool is_carry(std::size_t operand) const { return operand >= deciding && operand < deciding + carries; }
  bool is_sequence(std::size_t operand) const {
    return operand >= deciding + carries && operand < deciding + carries + sequences;
  }
};

// Of a node with bodies.
ControlParts control_parts(const Node& node);

}  // namespace gcompile::ir
