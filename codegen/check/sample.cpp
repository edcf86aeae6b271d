#include "gcompile/codegen/check/sample.h"

#include "gcompile/base/error.h"
#include "gcompile/runtime/random.h"

namespace gcompile::codegen {
namespace {

std::shared_ptr<StateStorage> storage(const std::string& name, const Type& type, bool trainable, std::uint64_t seed) {
  if (!type.is_static())
    throw Error("state '" + name + "' is " + type.str() + ": give its extents with --dim before it can be run");
  return std::make_shared<StateStorage>(name, sample(type, {}, seed, name), trainable);
}

}  // namespace

Array sample(const Type& type, const std::map<std::string, std::int64_t>& dims, std::uint64_t seed,
             const std::string& name) {
  std::vector<std::int64_t> extents;
  for (const Dim& d : type.dims) extents.push_back(d.evaluate(dims));
  Array a(type.dtype, Shape(extents));
  const RandomKey key = random_key(seed, name);
  if (is_float(type.dtype)) {
    fill_uniform(a, -1, 1, key);
    return a;
  }
  RandomStream stream(key);
  // Small numbers; some of other integers than i32, which may be indices, are any.
  const bool any = is_integer(type.dtype) && type.dtype != DType::kI32;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const auto number = static_cast<std::int64_t>(stream.below(type.dtype == DType::kBool ? 2 : 8));
    if (any && number > 5)
      a.set_integer(i, static_cast<std::int64_t>(std::uint64_t{stream.next()} << 32 | stream.next()));
    else
      a.set_integer(i, type.dtype == DType::kBool ? number : number - 2);
  }
  return a;
}

void fill_states(ir::Graph& graph, std::uint64_t seed) {
  for (auto& s : graph.states)
    if (!s.storage) s.storage = storage(s.name, s.logical_type(), s.trainable, seed);
}

void fill_states(ir::KernelModule& module, std::uint64_t seed) {
  for (ir::Buffer& b : module.buffers)
    if (b.role == ir::BufferRole::kState && !b.storage)
      b.storage = storage(b.name, b.logical_type(), b.trainable, seed);
}

}  // namespace gcompile::codegen
