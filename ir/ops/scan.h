// A scan node read: which of its operands, body inputs and results are what. Operands: the carries, the sequences, the
// invariants; body inputs the same, with an element for a sequence; body results: the carries, then elements.
#pragma once

#include <span>

#include "gcompile/ir/op.h"

namespace gcompile::ir {

struct ScanParts {
  explicit ScanParts(const Node& node)
      : n(node), carries(static_cast<std::size_t>(n.attrs.get<std::int64_t>("carries"))),
        sequences(static_cast<std::size_t>(n.attrs.get<std::int64_t>("sequences"))),
        invariants(n.operands.size() - carries - sequences), stacked(n.types.size() - carries),
        reverse(n.attrs.get<bool>("reverse")), length(n.attrs.dims("length")[0]) {}

  const Node& n;
  std::size_t carries, sequences, invariants, stacked;
  bool reverse;
  Dim length;

  const Graph& body() const { return n.body(); }
  bool is_carry(std::size_t operand) const { return operand < carries; }
  bool is_sequence(std::size_t operand) const { return operand >= carries && operand < carries + sequences; }
};

// A scan node; `carries` and `sequences` count the operands that are such.
Value make_scan(Builder& b, std::vector<Value> operands, std::size_t carries, std::size_t sequences, const Dim& length,
                bool reverse, std::shared_ptr<const Graph> body);

// What a scan is made of, but for how many steps there are.
struct ScanOf {
  std::vector<Value> carries, sequences, invariants;
  std::shared_ptr<const Graph> body;
  bool reverse = false;
};
// All its results.
std::vector<Value> make_scan(Builder& b, const ScanOf& scan, const Dim& steps);
// The same in chunks of `every` steps, as a scan of scans, and a scan of those that are left: the carries that its
// gradient keeps are those between chunks, and of one chunk at a time those between its steps.
std::vector<Value> make_chunked_scan(Builder& b, const ScanOf& scan, std::int64_t steps, std::int64_t every);

}  // namespace gcompile::ir
