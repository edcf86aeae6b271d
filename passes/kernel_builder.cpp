#include "gcompile/passes/kernel_builder.h"

#include <algorithm>
#include <bit>

#include "gcompile/base/error.h"

namespace gcompile::passes {

using ir::Instr;
using ir::Opcode;
using ir::VType;

KernelBuilder::KernelBuilder(ir::Kernel& kernel, ir::Block& block)
    : kernel_(kernel), types_(static_cast<std::size_t>(kernel.values)) {
  scopes_.push_back({&block, {}, {}, {}});
  for (const Instr& i : kernel.body) record(i);
}

void KernelBuilder::record(const Instr& instr) {
  const bool is_loop = instr.opcode == Opcode::kFor;
  for (std::size_t k = 0; k < instr.results.size(); ++k)
    types_.at(static_cast<std::size_t>(instr.results[k])) = is_loop ? instr.types[k] : instr.type;
  for (std::size_t k = 0; k < instr.arguments.size(); ++k)
    types_.at(static_cast<std::size_t>(instr.arguments[k])) = instr.types[k];
  if (is_loop) vars_.insert(instr.var);
  for (const auto* axes : {&instr.axes, &instr.sums})
    for (const ir::Axis& a : *axes) vars_.insert(a.var);
  for (const Instr& i : instr.body) record(i);
}

int KernelBuilder::location(const Location& at) {
  if (!at.known()) return -1;
  auto& all = kernel_.locations;
  const auto it = std::find(all.begin(), all.end(), at);
  if (it != all.end()) return static_cast<int>(it - all.begin());
  all.push_back(at);
  return static_cast<int>(all.size()) - 1;
}

int KernelBuilder::add_value(VType type) {
  types_.push_back(type);
  return kernel_.values++;
}

int KernelBuilder::emit(Instr instr) {
  const int result = add_value(instr.type);
  instr.results = {result};
  instr.where = where;
  block().push_back(std::move(instr));
  return result;
}

bool KernelBuilder::any_lanes(std::span<const int> values) const {
  return std::any_of(values.begin(), values.end(), [&](int v) { return type(v).lanes; });
}

template <class Table, class Key>
int KernelBuilder::known(Table Scope::*table, const Key& key) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
    if (const auto it = ((*scope).*table).find(key); it != ((*scope).*table).end()) return it->second;
  return -1;
}

int KernelBuilder::op(const ir::OpDef& def, std::vector<int> operands, const ir::Attrs& attrs) {
  std::vector<Type> scalars;
  for (int v : operands) scalars.push_back({type(v).dtype, {}});
  if (def.arity >= 0 && static_cast<std::size_t>(def.arity) != operands.size())
    throw InternalError("kernel " + kernel_.name + ": " + std::string(def.name) + " of " +
                        std::to_string(operands.size()) + " operands");
  const DType dtype = def.infer({def, scalars, attrs, {}})[0].dtype;
  const auto key = std::tuple(&def, operands, dtype);
  if (const int have = known(&Scope::ops, key); have >= 0) return have;
  Instr i{Opcode::kOp};
  i.op = &def;
  i.type = {dtype, any_lanes(operands)};
  i.operands = std::move(operands);
  return scopes_.back().ops[key] = emit(std::move(i));
}

int KernelBuilder::convert(const ir::OpDef& conversion, int value, DType to) {
  return type(value).dtype == to ? value : op(conversion, {value}, {{"dtype", to}});
}

int KernelBuilder::literal(DType dtype, double value) {
  const auto key = std::pair(dtype, std::bit_cast<std::uint64_t>(value));
  if (const int have = known(&Scope::literals, key); have >= 0) return have;
  Instr i{Opcode::kLiteral};
  i.type = {dtype, false};
  i.literal = value;
  return scopes_.back().literals[key] = emit(std::move(i));
}

int KernelBuilder::index(const Dim& d, DType dtype) {
  const auto key = std::pair(dtype, d.str());
  if (const int have = known(&Scope::indices, key); have >= 0) return have;
  Instr i{Opcode::kIndex};
  i.type = {dtype, d.uses(ir::kLaneSymbol)};
  i.index = {d};
  return scopes_.back().indices[key] = emit(std::move(i));
}

int KernelBuilder::load(const std::string& memory, DType dtype, ir::Index index, std::vector<int> operands, int mask) {
  const bool lane_index = std::any_of(index.begin(), index.end(), [](const Dim& d) { return d.uses(ir::kLaneSymbol); });
  Instr i{Opcode::kLoad};
  i.type = {dtype, lane_index || any_lanes(operands) || (mask >= 0 && type(mask).lanes)};
  i.memory = memory;
  i.index = std::move(index);
  i.operands = std::move(operands);
  i.mask = mask;
  return emit(std::move(i));
}

void KernelBuilder::store(const std::string& memory, ir::Index index, int value, int mask,
                          const std::vector<int>& operands) {
  Instr i{Opcode::kStore};
  i.type = type(value);
  i.memory = memory;
  i.index = std::move(index);
  i.operands = {value};
  i.operands.insert(i.operands.end(), operands.begin(), operands.end());
  i.mask = mask;
  i.where = where;
  block().push_back(std::move(i));
}

void KernelBuilder::lane_reduce(const std::string& memory, const std::string& source, std::string_view combine,
                                const Dim& extent) {
  Instr i{Opcode::kLaneReduce};
  i.op = &ir::op(combine);
  i.memory = memory;
  i.source = source;
  i.extent = extent;
  i.where = where;
  block().push_back(std::move(i));
}

void KernelBuilder::load_transposed(const std::string& memory, const std::string& source, ir::Index index,
                                    const Dim& extent, int mask) {
  transposed(Opcode::kLoadTransposed, memory, source, std::move(index), extent, mask);
}

void KernelBuilder::store_transposed(const std::string& memory, ir::Index index, const std::string& source,
                                     const Dim& extent, int mask) {
  transposed(Opcode::kStoreTransposed, memory, source, std::move(index), extent, mask);
}

void KernelBuilder::transposed(Opcode opcode, const std::string& memory, const std::string& source, ir::Index index,
                               const Dim& extent, int mask) {
  Instr i{opcode};
  i.memory = memory;
  i.source = source;
  i.index = std::move(index);
  i.extent = extent;
  i.mask = mask;
  i.where = where;
  block().push_back(std::move(i));
}

void KernelBuilder::prefetch(const std::string& memory, ir::Index index) {
  Instr i{Opcode::kPrefetch};
  i.memory = memory;
  i.index = std::move(index);
  i.where = where;
  block().push_back(std::move(i));
}

int KernelBuilder::both(int mask_a, int mask_b) {
  if (mask_a < 0 || mask_a == mask_b) return mask_b;
  return mask_b < 0 ? mask_a : op("and", {mask_a, mask_b});
}

ir::Block KernelBuilder::nested(const std::function<void()>& body) {
  ir::Block block;
  scopes_.push_back({&block, {}, {}, {}});
  body();
  scopes_.pop_back();
  return block;
}

std::vector<int> KernelBuilder::loop(const std::string& var, const Dim& extent, ir::LoopKind kind,
                                     std::vector<int> initial, const LoopBody& body, std::vector<VType> types) {
  if (types.empty())
    for (int v : initial) types.push_back(type(v));
  Instr i{Opcode::kFor};
  i.var = var;
  i.extent = extent;
  i.loop = kind;
  i.operands = std::move(initial);
  for (const VType& t : types) i.arguments.push_back(add_value(t));
  i.where = where;
  vars_.insert(var);
  i.body = nested([&] { i.yields = body(i.arguments); });
  const auto fits = [&](int v, const VType& t) { return type(v).dtype == t.dtype && (t.lanes || !type(v).lanes); };
  const auto all_fit = [&](const std::vector<int>& values) {
    return std::equal(values.begin(), values.end(), types.begin(), types.end(), fits);
  };
  if (!all_fit(i.operands) || !all_fit(i.yields))
    throw InternalError("kernel " + kernel_.name + ": the carried values of loop " + var +
                        " change their types; give the types they have in the body");
  for (const VType& t : types) i.results.push_back(add_value(t));
  i.types = std::move(types);
  std::vector<int> results = i.results;
  block().push_back(std::move(i));
  return results;
}

void KernelBuilder::loop(const std::string& var, const Dim& extent, ir::LoopKind kind,
                         const std::function<void()>& body) {
  loop(var, extent, kind, {}, [&](std::span<const int>) {
    body();
    return std::vector<int>{};
  });
}

void KernelBuilder::contract(Instr contract, DType dtype, const std::function<void(int sum)>& body) {
  contract.opcode = Opcode::kContract;
  contract.types = {{dtype, false}};
  contract.arguments = {add_value(contract.types[0])};
  contract.where = where;
  for (const auto* axes : {&contract.axes, &contract.sums})
    for (const ir::Axis& a : *axes) vars_.insert(a.var);
  contract.body = nested([&] { body(contract.arguments[0]); });
  block().push_back(std::move(contract));
}

std::string KernelBuilder::fresh_var(const std::string& stem) {
  std::string name = stem;
  for (int i = 2; !vars_.insert(name).second; ++i) name = stem + std::to_string(i);
  return name;
}

void KernelBuilder::append(Instr instr) {
  record(instr);
  block().push_back(std::move(instr));
}

}  // namespace gcompile::passes
