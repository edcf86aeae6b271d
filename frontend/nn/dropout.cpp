#include "gcompile/frontend/nn/dropout.h"

#include "gcompile/frontend/random.h"

namespace gcompile::nn {
namespace {

double checked(double rate, const std::string& name, Where where) {
  if (rate >= 0 && rate < 1) return rate;
  throw ModelError(Location::from(where),
                   "Dropout '" + name + "': the rate must be in [0, 1), not " + std::to_string(rate));
}

Array key_of(std::uint64_t seed, const std::string& name) {
  const RandomKey key = random_key(seed, name);
  return Array{key.k0, key.k1};
}

}  // namespace

Dropout::Dropout(Module* owner, const std::string& name, double rate, Where where)
    : Module(owner, name), rate_(checked(rate, name, where)), key(this, "key", Initializer(key_of)),
      count(this, "count", Array(std::uint32_t{0})) {}

Tensor Dropout::forward(const Tensor& x, Where where) const {
  Trace& trace = Trace::required("Dropout", where);
  if (!trace.is_training() || rate_ == 0) return x;
  const LocationScope scope(where);
  const Tensor of_step = random::fold_in(Tensor(key, where), Tensor(count, where), where);
  return dropout(x, rate_, random::fold_in(of_step, trace.count_call(count.storage()), where), where);
}

}  // namespace gcompile::nn
