// Values that are made as a whole by loops of their own (LoopLowering): the interface that their records write with.
#include "gcompile/ir/op.h"
#include "gcompile/passes/lower.h"

namespace gcompile::passes {
namespace {

class Writer : public ir::LoopWriter {
 public:
  Writer(BodyLowering& c, const Type& type, const Destination& to) : c_(c), type_(type), to_(to) {}

  void loop(const Dim& extent, const std::function<void(const Dim&)>& body) override {
    if (extent.is(1)) return c_.in_scope([&] { body(0); });
    c_.loop("i", extent, ir::LoopKind::kSerial, body);
  }

  std::vector<ir::Expr> carry(const Dim& extent, std::vector<ir::Expr> initial, const Step& step) override {
    std::vector<int> values;
    std::vector<ir::VType> types;
    for (const ir::Expr& e : initial) {
      values.push_back(e.id);
      types.push_back({c_.dtype(e), c_.lanes || c_.builder().type(e.id).lanes});
    }
    return exprs(c_.loop("k", extent, kind(extent), values, types, [&](const Dim& k, std::span<const int> carried) {
      std::vector<int> next;
      for (const ir::Expr& e : step(k, exprs(carried))) next.push_back(e.id);
      return next;
    }));
  }

  void over_lanes(const Dim& extent, const std::function<void(const Dim&)>& body) override {
    passes::over_lanes(c_, extent, body);
  }

  void store(const ir::Index& at, ir::Expr value) override {
    c_.builder().store(to_.memory, to_.at(at, type_), value.id, c_.mask);
  }

  int workspace(DType dtype, const Dim& size) override {
    memory_.push_back({c_.temporary({dtype, {size}}), dtype});
    return static_cast<int>(memory_.size()) - 1;
  }
  ir::Expr load(int memory, const Dim& at, const std::vector<ir::Expr>& values) override {
    const Memory& m = memory_[static_cast<std::size_t>(memory)];
    return {c_.builder().load(m.name, m.dtype, {at}, ids(values), c_.mask)};
  }
  void store(int memory, const Dim& at, const std::vector<ir::Expr>& values, ir::Expr value) override {
    const Memory& m = memory_[static_cast<std::size_t>(memory)];
    c_.builder().store(m.name, {at}, value.id, c_.mask, ids(values));
  }

 private:
  struct Memory {
    std::string name;
    DType dtype;
  };

  static ir::LoopKind kind(const Dim& extent) {
    constexpr std::int64_t kUnroll = 8;  // loops up to this extent are wished unrolled
    return extent.is_constant() && extent.constant() <= kUnroll ? ir::LoopKind::kUnroll : ir::LoopKind::kSerial;
  }
  static std::vector<ir::Expr> exprs(std::span<const int> values) {
    std::vector<ir::Expr> out;
    for (const int id : values) out.push_back({id});
    return out;
  }
  static std::vector<int> ids(const std::vector<ir::Expr>& values) {
    std::vector<int> out;
    for (const ir::Expr& e : values) out.push_back(e.id);
    return out;
  }

  BodyLowering& c_;
  const Type& type_;
  const Destination& to_;
  std::vector<Memory> memory_;
};

}  // namespace

void emit_own_loops(BodyLowering& c, ir::Value v, const Destination& to) {
  const BodyLowering::At here(c, *v.node);
  Writer writer(c, v.type(), to);
  std::get<ir::LoopLowering>(v.node->op->lower).emit(c, writer, *v.node);
}

}  // namespace gcompile::passes
