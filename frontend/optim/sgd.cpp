#include "gcompile/frontend/optim/sgd.h"

#include "gcompile/frontend/optim/check.h"
#include "gcompile/frontend/optim/states.h"

namespace gcompile::optim {

Rule SGD::start(std::span<const Parameter> parameters) const {
  require_not_negative("SGD", "lr", lr);
  require_not_negative("SGD", "momentum", momentum);
  require_not_negative("SGD", "weight_decay", weight_decay);
  if (nesterov && momentum == 0) throw ModelError("SGD: nesterov needs a momentum");
  const State rate("optimizer.lr", Array::full(common_dtype(parameters), {}, lr));
  std::vector<State> velocities = momentum != 0 ? like(parameters, "momentum") : std::vector<State>();
  std::vector<State> states{rate};
  states.insert(states.end(), velocities.begin(), velocities.end());
  const std::vector<Parameter> all(parameters.begin(), parameters.end());
  return {rate, states, [rate, all, velocities, self = *this](std::span<const Change> changes) {
            for (const auto& [i, gradient] : changes) {
              const Parameter& w = all[i];
              Tensor g = gradient;
              if (self.weight_decay != 0) g = g + self.weight_decay * w;
              if (self.momentum != 0) {
                const Tensor v = self.momentum * velocities[i] + g;
                velocities[i].set(v);
                g = self.nesterov ? g + self.momentum * v : v;
              }
              w.set(w - cast(rate, w.dtype()) * g);
            }
          }};
}

}  // namespace gcompile::optim
