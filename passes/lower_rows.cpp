// Rows: one loop over the leading axes that all values share; in it the steps of a row (row_steps.h). See lower.h.
#include <algorithm>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/lower_body.h"
#include "gcompile/passes/row_steps.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;
using ir::Value;

class RowLowering {
 public:
  RowLowering(BodyLowering& c, const ir::Graph& graph, int rows, const std::vector<Output>& outputs)
      : c_(c), b_(c.builder()), body_(c, graph, outputs), rows_(rows) {
    NodeSet kept;
    for (const Output& o : outputs) kept.insert(o.value.node);
    for (const Node* n : remade_in_rows(body_.nodes, body_.placed, kept, rows, c.context().target))
      body_.placed.erase(n);
    for (const Node* n : body_.nodes)  // what the inputs of the body are has a place already
      if (c.is_placed({n, 0})) body_.placed.erase(n);
    steps_ = row_steps(body_.nodes, body_.placed, rows, c.context().target);
    in_registers_ = read_in_sweep_alone(body_.nodes, body_.placed, steps_, rows);
    for (const Node* n : kept) in_registers_.erase(n);
  }

  void run(const std::vector<Dim>& dims) {
    c_.loops("row", {dims.begin(), dims.begin() + rows_}, 1, [&](const Index& row) {
      for (const RowStep& step : steps_) {
        if (step.kind == RowStep::Kind::kSweep)
          sweep(step, row);
        else
          alone(*step.values.front(), row, step.kind == RowStep::Kind::kScalar);
      }
    });
  }

 private:
  // One element of the row stays a value.
  void keep(const Node& n, const Index& at, int value) {
    const BodyLowering::At here(c_, n);
    c_.bind({&n, 0}, at, value);
    for (const std::string& buffer : body_.buffers_of({&n, 0})) b_.store(buffer, at, value);
  }

  Index first(const Node& n, const Index& row) const {
    Index at = row;
    at.resize(n.types[0].dims.size(), Dim(0));
    return at;
  }

  void alone(const Node& n, const Index& row, bool scalar) {
    const BodyLowering::At here(c_, n);
    const Value v{&n, 0};
    if (scalar)
      return keep(n, first(n, row),
                  reduces_last_axis(n) ? lane_reduction(c_, v, first(n, row)) : c_.value(v, first(n, row)));
    for (const Destination& to : destinations(n, row)) emit_value(c_, v, to);
    place(n);
  }

  void sweep(const RowStep& step, const Index& row) {
    std::vector<const Node*> sums;
    std::vector<std::pair<const Node*, std::vector<Destination>>> stored;
    for (const Node* n : step.values) {
      if (reduces_last_axis(*n))
        sums.push_back(n);
      else if (!in_registers_.count(n))
        stored.emplace_back(n, destinations(*n, row));
    }
    const auto store = [&](const Dim& element) {
      Index at = row;
      at.push_back(element);
      for (const auto& [n, to] : stored) {
        const BodyLowering::At here(c_, *n);
        for (const Destination& d : to)
          b_.store(d.memory, d.at(at, n->types[0]), c_.value({n, 0}, at), d.padded ? -1 : c_.mask);
      }
    };
    const BodyLowering::At here(c_, *step.values.front());
    if (sums.empty()) {
      over_lanes(c_, step.extent, store);
    } else {
      const std::vector<int> totals = lane_reductions(c_, sums, row, store);
      for (std::size_t i = 0; i < sums.size(); ++i) keep(*sums[i], row, totals[i]);
    }
    for (const auto& [n, to] : stored) place(*n);
  }

  // Where a value of the row goes: its buffers, or the frame.
  std::vector<Destination> destinations(const Node& n, const Index& row) {
    std::vector<Destination> to;
    for (const std::string& buffer : body_.buffers_of({&n, 0})) to.push_back({buffer, false, row});
    if (!to.empty()) return to;
    const Type& t = n.types[0];
    Dim size = 1;
    for (int a = rows_; a < t.rank(); ++a) size *= t.dim(a);
    if (!size.is_constant()) throw InternalError("a row of symbolic size inside a kernel: " + t.str());
    frame_[&n] = padded_scratch(c_, t.dtype, size.constant());
    return {{frame_[&n], true, row, true}};
  }
  // The same, as where readers find it.
  void place(const Node& n) {
    const Value v{&n, 0};
    if (const auto it = frame_.find(&n); it != frame_.end())
      c_.place_linear(v, it->second, 0, static_cast<std::size_t>(rows_));
    else
      c_.place_buffer(v, body_.buffers_of(v)[0]);
  }

  BodyLowering& c_;
  KernelBuilder& b_;
  LoweredBody body_;
  const int rows_;
  std::vector<RowStep> steps_;
  NodeSet in_registers_;
  std::unordered_map<const Node*, std::string> frame_;
};

}  // namespace

void lower_rows(BodyLowering& c, const ir::Graph& graph, int rows, const std::vector<Output>& outputs) {
  RowLowering(c, graph, rows, outputs).run(outputs[0].value.type().dims);
}

}  // namespace gcompile::passes
