#include "gcompile/passes/tile.h"

#include <algorithm>
#include <map>
#include <set>

#include "gcompile/base/error.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/kernel_builder.h"
#include "gcompile/passes/tile_plan.h"

namespace gcompile::passes {
namespace {

using ir::Access;
using ir::Axis;
using ir::Block;
using ir::Index;
using ir::Instr;
using ir::kLanes;
using ir::Opcode;

constexpr std::int64_t kInlineEpilogue = 128;  // instructions of all epilogues of a tile worth writing them one by one
constexpr std::int64_t kExpandedOp = 20;       // instructions of an op that expand-math expands, about
constexpr std::int64_t kTransposed = 16;       // columns transposed together

using Values = std::map<std::string, Dim>;  // of variables

// Names that are new to a module and a kernel of it.
struct Names {
  std::set<std::string> taken;
  std::string fresh(const std::string& stem) {
    std::string name = stem;
    for (int i = 2; !taken.insert(name).second; ++i) name = stem + "_" + std::to_string(i);
    return name;
  }
};

// Expands one contract into the present block of the builder.
class Tiler {
 public:
  // A panel's memory is added by `add_panel`, which gives its name.
  using AddPanel = std::function<std::string(const Type&)>;
  Tiler(KernelBuilder& b, const Instr& contract, const TilePlan& plan, const Target& target, Names& names,
        const std::set<std::string>& symbols, const AddPanel& add_panel)
      : b_(b), c_(contract), plan_(plan), target_(target), names_(names), symbols_(symbols), add_panel_(add_panel),
        dtype_(contract.types[0].dtype) {
    for (const Instr& i : c_.body)
      if (i.opcode == Opcode::kStore) stored_.insert(i.memory);
  }

  void run() {
    b_.where = c_.where;
    if (plan_.pack) {
      Dim depth = 1;
      for (const Axis& k : c_.sums) depth *= k.extent;
      panel_ = add_panel_({dtype_, {depth, kLanes * plan_.vectors}});
    }
    outer(0);
  }

 private:
  // One vector or one scalar of the tile.
  struct Lanes {
    Dim first;            // of the lane axis
    int count = 1;        // vectors
    bool masked = false;  // the last vector has less than 16 lanes
  };

  void loop(const std::string& stem, const Dim& extent, const std::function<void(const Dim&)>& body) {
    if (extent.is(0)) return;
    if (extent.is(1)) return body(0);
    const std::string var = fresh_var(stem);
    b_.loop(var, extent, ir::LoopKind::kSerial, [&] { body(Dim(var)); });
  }

  std::string fresh_var(const std::string& stem) {
    std::string var = b_.fresh_var(stem);
    while (symbols_.count(var)) var = b_.fresh_var(stem);
    return var;
  }

  // Axes that are neither rows nor lanes, one inside the other.
  void outer(int a) {
    if (a == static_cast<int>(c_.axes.size())) return panels();
    if (a == plan_.lane_axis || a == plan_.row_axis) return outer(a + 1);
    const Axis& axis = c_.axes[static_cast<std::size_t>(a)];
    loop(axis.var, axis.extent, [&](const Dim& at) {
      at_[axis.var] = at;
      outer(a + 1);
    });
  }

  void panels() {
    if (plan_.lane_axis < 0) return panel({});
    const Dim& extent = c_.axes[static_cast<std::size_t>(plan_.lane_axis)].extent;
    const int most = plan_.vectors;
    const Dim whole = floordiv(extent, kLanes * most);
    loop("j", whole, [&](const Dim& j) { panel({Dim(kLanes * most) * j, most, false}); });
    const Dim done = Dim(kLanes * most) * whole, rest = extent - done;
    if (rest.is_constant()) {
      if (!rest.is(0)) panel({done, static_cast<int>(ceildiv(rest, kLanes).constant()), rest.constant() % kLanes != 0});
      return;
    }
    loop("j", ceildiv(rest, kLanes), [&](const Dim& j) { panel({done + Dim(kLanes) * j, 1, true}); });
  }

  void panel(const Lanes& lanes) {
    if (plan_.pack) pack(lanes);
    if (plan_.row_axis < 0) return block(0, 1, lanes);
    const Dim& extent = c_.axes[static_cast<std::size_t>(plan_.row_axis)].extent;
    Dim done = 0;
    // A symbolic number of rows ends with smaller tiles, down to one row.
    std::vector<int> sizes{plan_.rows};
    if (!extent.is_constant()) {
      if (plan_.rows > 4) sizes.push_back((plan_.rows + 2) / 3);
      if (plan_.rows > 1) sizes.push_back(1);
    }
    for (const int size : sizes) {
      const Dim tiles = floordiv(extent - done, size);
      loop("i", tiles, [&, before = done](const Dim& i) { block(before + Dim(size) * i, size, lanes); });
      done += Dim(size) * tiles;
    }
    if (const Dim rest = extent - done; rest.is_constant() && !rest.is(0))
      block(done, static_cast<int>(rest.constant()), lanes);
  }

  // The lanes from `first` on that the axis has.
  int mask_from(const Dim& first) {
    const Dim& extent = c_.axes[static_cast<std::size_t>(plan_.lane_axis)].extent;
    return b_.op("lt", {b_.index(Dim(ir::kLaneSymbol)), b_.index(extent - first)});
  }
  int mask_of(const Lanes& lanes, int vector) {
    return lanes.masked && vector == lanes.count - 1 ? mask_from(lanes.first + Dim(kLanes * vector)) : -1;
  }

  const Access& lane_operand() const { return plan_.lanes_left ? c_.left : c_.right; }
  std::string lane_var() const { return plan_.lane_axis < 0 ? "" : axis(plan_.lane_axis).var; }
  std::string row_var() const { return plan_.row_axis < 0 ? "" : axis(plan_.row_axis).var; }
  const Axis& axis(int a) const { return c_.axes[static_cast<std::size_t>(a)]; }
  static bool uses(const Index& index, const std::string& var) {
    return std::any_of(index.begin(), index.end(), [&](const Dim& d) { return d.uses(var); });
  }
  static Index substituted(const Index& index, const Values& values) {
    Index out;
    for (const Dim& d : index) out.push_back(d.substitute(values));
    return out;
  }
  Values at(const Dim& row, const Dim& lane) const {
    Values values = at_;
    if (plan_.row_axis >= 0) values[row_var()] = row;
    if (plan_.lane_axis >= 0) values[lane_var()] = lane;
    return values;
  }

  // panel[k, lane] = the lane operand, zeros beyond the axis.
  void pack(const Lanes& lanes) {
    if (plan_.transpose) return pack_transposed(lanes);
    sums(0, 0, [&](const Dim& k) {
      for (int v = 0; v < lanes.count; ++v) pack_vector(lanes.first + Dim(kLanes * v), k, Dim(v), mask_of(lanes, v));
    });
  }

  void pack_vector(const Dim& first, const Dim& k, const Dim& vector, int mask) {
    const Dim lane{ir::kLaneSymbol};
    const int x =
        b_.load(lane_operand().memory, dtype_, substituted(lane_operand().index, at(0, first + lane)), {}, mask);
    b_.store(panel_, {k, Dim(kLanes) * vector + lane}, x);
  }

  // block[c, lane] = the lane operand at first_k + c, for the lanes from `first` on.
  void load_block(const Dim& first_k, const Dim& first, std::int64_t count, int mask) {
    if (block_.empty()) {
      block_ = names_.fresh("block");
      b_.kernel().scratch.push_back({block_, dtype_, {kTransposed, kLanes}, ir::Scratch::Kind::kRegister});
    }
    at_[c_.sums[0].var] = first_k;
    const Index from = substituted(lane_operand().index, at(0, first));
    b_.load_transposed(block_, lane_operand().memory, from[0], from[1], count, mask);
  }

  void pack_transposed(const Lanes& lanes) {
    const Axis& k = c_.sums[0];
    const Dim lane{ir::kLaneSymbol};
    const auto columns = [&](const Dim& first_k, std::int64_t count) {
      loop("v", lanes.count, [&](const Dim& v) {
        const Dim first = lanes.first + Dim(kLanes) * v;
        load_block(first_k, first, count, lanes.masked ? mask_from(first) : -1);
        for (std::int64_t c = 0; c < count; ++c)
          b_.store(panel_, {first_k + Dim(c), Dim(kLanes) * v + lane}, b_.load(block_, dtype_, {Dim(c), lane}));
      });
    };
    const Dim blocks = floordiv(k.extent, kTransposed), done = Dim(kTransposed) * blocks, rest = k.extent - done;
    loop("c", blocks, [&](const Dim& c) { columns(Dim(kTransposed) * c, kTransposed); });
    if (rest.is_constant()) {
      if (!rest.is(0)) columns(done, rest.constant());
      return;
    }
    loop("c", rest, [&](const Dim& c) {
      at_[k.var] = done + c;
      for (int v = 0; v < lanes.count; ++v)
        pack_vector(lanes.first + Dim(kLanes * v), done + c, Dim(v), mask_of(lanes, v));
    });
  }

  // Loops over the reduction axes from the n-th on; `body` gets the row-major offset into their box.
  void sums(std::size_t n, const Dim& offset, const std::function<void(const Dim&)>& body) {
    if (n == c_.sums.size()) return body(offset);
    const Axis& k = c_.sums[n];
    loop(k.var, k.extent, [&](const Dim& var) {
      at_[k.var] = var;
      sums(n + 1, offset * k.extent + var, body);
    });
  }

  using Accumulators = std::vector<int>;
  // The same with accumulators carried along.
  Accumulators reduce(std::size_t n, const Dim& offset, Accumulators before,
                      const std::function<Accumulators(const Dim&, Accumulators)>& body) {
    if (n == c_.sums.size()) return body(offset, std::move(before));
    const Axis& k = c_.sums[n];
    const std::string var = fresh_var(k.var);
    at_[k.var] = Dim(var);
    const std::vector<ir::VType> types(before.size(), {dtype_, plan_.lane_axis >= 0});
    return b_.loop(
        var, k.extent, ir::LoopKind::kSerial, std::move(before),
        [&](std::span<const int> carried) {
          at_[k.var] = Dim(var);
          return reduce(n + 1, offset * k.extent + Dim(var), {carried.begin(), carried.end()}, body);
        },
        types);
  }

  // Products of the elements that a tile needs at one place of the reduction, each loaded once, added to its sums.
  Accumulators step(const Dim& k, const Dim& row, int rows, const Lanes& lanes, Accumulators sums) {
    std::map<std::tuple<const Access*, int, int>, int> loaded;
    const auto operand = [&](const Access& a, int r, int v) {
      const bool by_lane = plan_.lane_axis >= 0 && uses(a.index, lane_var());
      const bool by_row = plan_.row_axis >= 0 && uses(a.index, row_var());
      const auto [it, is_new] = loaded.try_emplace({&a, by_row ? r : -1, by_lane ? v : -1}, -1);
      if (!is_new) return it->second;
      const Dim lane{ir::kLaneSymbol};
      if (plan_.pack && &a == &lane_operand()) return it->second = b_.load(panel_, dtype_, {k, Dim(kLanes * v) + lane});
      const Index index = substituted(a.index, at(row + Dim(r), lanes.first + Dim(kLanes * v) + lane));
      return it->second = b_.load(a.memory, dtype_, index, {}, by_lane ? mask_of(lanes, v) : -1);
    };
    for (int v = 0; v < lanes.count; ++v) operand(lane_operand(), 0, v);
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < lanes.count; ++v) {
        const int x = operand(c_.left, r, v), y = operand(c_.right, r, v);
        int& sum = sums[static_cast<std::size_t>(r * lanes.count + v)];
        sum = product(x, y, sum);
      }
    return sums;
  }

  // One vector of sums per row, by blocks of the reduction axis that are transposed as they are needed.
  Accumulators reduce_by_blocks(const Dim& row, int rows, const Lanes& lanes, Accumulators sums) {
    const Axis& k = c_.sums[0];
    const Access& other = plan_.lanes_left ? c_.right : c_.left;
    const auto columns = [&](const Dim& first_k, std::int64_t count, Accumulators before) {
      load_block(first_k, lanes.first, count, mask_of(lanes, 0));
      for (std::int64_t c = 0; c < count; ++c) {
        at_[k.var] = first_k + Dim(c);
        const int x = b_.load(block_, dtype_, {Dim(c), Dim(ir::kLaneSymbol)});
        for (int r = 0; r < rows; ++r) {
          int& sum = before[static_cast<std::size_t>(r)];
          sum = product(b_.load(other.memory, dtype_, substituted(other.index, at(row + Dim(r), lanes.first))), x, sum);
        }
      }
      return before;
    };
    const Dim blocks = floordiv(k.extent, kTransposed), done = Dim(kTransposed) * blocks, rest = k.extent - done;
    const auto carried_loop = [&](const Dim& extent,
                                  const std::function<Accumulators(const Dim&, Accumulators)>& body) {
      const std::string var = fresh_var(k.var);
      const std::vector<ir::VType> types(sums.size(), {dtype_, true});
      sums = b_.loop(
          var, extent, ir::LoopKind::kSerial, std::move(sums),
          [&](std::span<const int> c) {
            return body(Dim(var), {c.begin(), c.end()});
          },
          types);
    };
    if (!blocks.is(0))
      carried_loop(blocks, [&](const Dim& n, Accumulators before) {
        return columns(Dim(kTransposed) * n, kTransposed, std::move(before));
      });
    if (rest.is_constant()) return rest.is(0) ? sums : columns(done, rest.constant(), std::move(sums));
    carried_loop(rest, [&](const Dim& n, Accumulators before) {
      at_[k.var] = done + n;
      return step(done + n, row, rows, lanes, std::move(before));
    });
    return sums;
  }

  int product(int x, int y, int sum) {
    return is_float(dtype_) && target_.has_fma ? b_.op("fma", {x, y, sum}) : b_.op("add", {sum, b_.op("mul", {x, y})});
  }

  // One tile: `rows` rows from `row` on.
  void block(const Dim& row, int rows, const Lanes& lanes) {
    for (int v = 0; v < lanes.count; ++v) mask_of(lanes, v);  // made here, not in the loop
    const Accumulators zeros(static_cast<std::size_t>(rows * lanes.count), b_.literal(dtype_, 0));
    const Accumulators sums = plan_.transpose && !plan_.pack
                                  ? reduce_by_blocks(row, rows, lanes, zeros)
                                  : reduce(0, 0, zeros, [&](const Dim& k, Accumulators before) {
                                      return step(k, row, rows, lanes, std::move(before));
                                    });
    const std::int64_t size = epilogue_size();
    if (rows * lanes.count > 1 && size * rows * lanes.count > kInlineEpilogue)
      return rolled_epilogue(row, rows, lanes, sums);
    Loaded loaded;
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < lanes.count; ++v)
        epilogue(sums[static_cast<std::size_t>(r * lanes.count + v)],
                 at(row + Dim(r), lanes.first + Dim(kLanes * v) + Dim(ir::kLaneSymbol)), mask_of(lanes, v), loaded);
  }

  std::int64_t epilogue_size() const {
    std::int64_t size = 0;
    for (const Instr& i : c_.body) {
      const auto* lowering = i.op ? std::get_if<ir::ElementLowering>(&i.op->lower) : nullptr;
      size += i.opcode == Opcode::kLiteral || i.opcode == Opcode::kIndex ? 0
              : lowering && lowering->expand                             ? kExpandedOp
                                                                         : 1;
    }
    return size;
  }

  // The sums go through the frame, so that a long epilogue is written once.
  void rolled_epilogue(const Dim& row, int rows, const Lanes& lanes, const Accumulators& sums) {
    const bool vectors = plan_.lane_axis >= 0;
    if (frame_.empty()) {
      frame_ = names_.fresh("tile");
      std::vector<std::int64_t> extents{plan_.rows * plan_.vectors};
      if (vectors) extents.push_back(kLanes);
      b_.kernel().scratch.push_back({frame_, dtype_, extents, ir::Scratch::Kind::kStack});
    }
    const auto element = [&](const Dim& n) { return vectors ? Index{n, Dim(ir::kLaneSymbol)} : Index{n}; };
    for (std::size_t n = 0; n < sums.size(); ++n) b_.store(frame_, element(Dim(static_cast<std::int64_t>(n))), sums[n]);
    loop("r", rows, [&](const Dim& r) {
      loop("v", lanes.count, [&](const Dim& v) {
        const Dim first = lanes.first + Dim(kLanes) * v;
        const int sum = b_.load(frame_, dtype_, element(Dim(lanes.count) * r + v));
        Loaded loaded;
        epilogue(sum, at(row + r, first + Dim(ir::kLaneSymbol)), lanes.masked ? mask_from(first) : -1, loaded);
      });
    });
  }

  // Loads of the epilogue that others of the tile made already: of memory that it does not store to.
  using Loaded = std::map<std::tuple<std::string, std::string, std::vector<int>, int>, int>;

  void epilogue(int sum, const Values& values, int mask, Loaded& loaded) {
    std::map<int, int> made{{c_.arguments[0], sum}};
    const auto value = [&](int id) {
      const auto it = made.find(id);
      return it == made.end() ? id : it->second;  // made before the contract
    };
    const auto operands_of = [&](const Instr& i) {
      std::vector<int> ids;
      for (const int id : i.operands) ids.push_back(value(id));
      return ids;
    };
    // The lanes of an access that are beyond the axis are off.
    const auto mask_for = [&](const Instr& i, const Index& index, const std::vector<int>& operands) {
      const bool lanes = uses(index, ir::kLaneSymbol) ||
                         std::any_of(operands.begin(), operands.end(), [&](int id) { return b_.type(id).lanes; });
      return b_.both(i.mask < 0 ? -1 : value(i.mask), lanes ? mask : -1);
    };
    for (const Instr& i : c_.body) {
      b_.where = i.where;
      const Index index = substituted(i.index, values);
      switch (i.opcode) {
        case Opcode::kOp:
          made[i.results[0]] = i.op->name == "cast"      ? b_.cast(value(i.operands[0]), i.type.dtype)
                               : i.op->name == "bitcast" ? b_.bitcast(value(i.operands[0]), i.type.dtype)
                                                         : b_.op(*i.op, operands_of(i));
          break;
        case Opcode::kLiteral: made[i.results[0]] = b_.literal(i.type.dtype, i.literal); break;
        case Opcode::kIndex: made[i.results[0]] = b_.index(index[0]); break;
        case Opcode::kLoad: {
          const std::vector<int> operands = operands_of(i);
          const int m = mask_for(i, index, operands);
          std::string text;
          for (const Dim& d : index) text += d.str() + ";";
          const auto load = [&] { return b_.load(i.memory, i.type.dtype, index, operands, m); };
          if (stored_.count(i.memory)) {
            made[i.results[0]] = load();
          } else {
            const auto [it, is_new] = loaded.try_emplace({i.memory, text, operands, m}, -1);
            if (is_new) it->second = load();
            made[i.results[0]] = it->second;
          }
          break;
        }
        default: b_.store(i.memory, index, value(i.operands[0]), mask_for(i, index, {}));
      }
    }
    b_.where = c_.where;
  }

  KernelBuilder& b_;
  const Instr& c_;
  const TilePlan& plan_;
  const Target& target_;
  Names& names_;
  const std::set<std::string>& symbols_;
  const AddPanel& add_panel_;
  DType dtype_;
  Values at_;  // of the variables of loops that are open
  std::set<std::string> stored_;
  std::string panel_, block_, frame_;  // memory, once it is needed
};

// All contracts of a module.
class ModuleTiler {
 public:
  ModuleTiler(ir::KernelModule& module, const Target& target) : module_(module), target_(target) {
    for (const ir::Buffer& b : module.buffers) {
      names_.taken.insert(b.name);
      for (const Dim& d : b.type.dims) symbols_.merge(d.symbols());
    }
    for (const ir::Kernel& k : module.kernels)
      for (const ir::Scratch& s : k.scratch) names_.taken.insert(s.name);
  }

  void run(ir::Kernel& kernel) {
    kernel_ = &kernel;
    KernelBuilder b(kernel);  // knows the values that the kernel has now
    rebuild(b, kernel.body);
  }

 private:
  void rebuild(KernelBuilder& b, Block& block) {
    Block out;
    for (Instr& i : block) {
      if (i.opcode == Opcode::kContract) {
        Block made = expand(b, i);
        std::move(made.begin(), made.end(), std::back_inserter(out));
        continue;
      }
      rebuild(b, i.body);
      out.push_back(std::move(i));
    }
    block = std::move(out);
  }

  std::vector<Dim> extents(const std::string& memory) const {
    if (const ir::Scratch* s = kernel_->find_scratch(memory)) return {s->extents.begin(), s->extents.end()};
    return module_.buffer(memory).type.dims;
  }

  Block expand(KernelBuilder& b, const Instr& contract) {
    const TilePlan plan = plan_tile(
        contract, [&](const std::string& m) { return extents(m); }, target_);
    kernel_->reasons.push_back(plan.reason);
    return b.nested([&] {
      Tiler(b, contract, plan, target_, names_, symbols_, [&](const Type& type) {
        module_.buffers.push_back({names_.fresh("panel"), type, ir::BufferRole::kTemp});
        return module_.buffers.back().name;
      }).run();
    });
  }

  ir::KernelModule& module_;
  const Target& target_;
  Names names_;
  std::set<std::string> symbols_;
  ir::Kernel* kernel_ = nullptr;
};

bool has_contract(const Block& block) {
  return std::any_of(block.begin(), block.end(),
                     [](const Instr& i) { return i.opcode == Opcode::kContract || has_contract(i.body); });
}

}  // namespace

ir::KernelModule tile(const ir::KernelModule& module, const PassContext& context) {
  ir::KernelModule out = module;
  ModuleTiler tiler(out, context.target);
  for (ir::Kernel& kernel : out.kernels)
    if (has_contract(kernel.body)) tiler.run(kernel);
  return out;
}

void refuse_contracts(const ir::KernelModule& module, std::string_view pass) {
  for (const ir::Kernel& kernel : module.kernels)
    if (has_contract(kernel.body))
      throw Error("kernel @" + kernel.name + " has a contract: run tile before " + std::string(pass));
}

}  // namespace gcompile::passes
