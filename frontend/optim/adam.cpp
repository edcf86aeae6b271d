#include "gcompile/frontend/optim/adam.h"

#include "gcompile/frontend/optim/check.h"
#include "gcompile/frontend/optim/states.h"

namespace gcompile::optim {

Rule Adam::start(std::span<const Parameter> parameters) const {
  require_not_negative("Adam", "lr", lr);
  require_share("Adam", "beta1", beta1);
  require_share("Adam", "beta2", beta2);
  require_not_negative("Adam", "eps", eps);
  require_not_negative("Adam", "weight_decay", weight_decay);
  const State rate("optimizer.lr", Array(lr)), power1("optimizer.beta1_power", Array(1.0)),
      power2("optimizer.beta2_power", Array(1.0));
  const std::vector<State> first = like(parameters, "first_moment"), second = like(parameters, "second_moment");
  std::vector<State> states{rate, power1, power2};
  states.insert(states.end(), first.begin(), first.end());
  states.insert(states.end(), second.begin(), second.end());
  const std::vector<Parameter> all(parameters.begin(), parameters.end());
  return {rate, states, [=, self = *this](std::span<const Change> changes) {
            const Tensor p1 = power1 * self.beta1, p2 = power2 * self.beta2;
            power1.set(p1);
            power2.set(p2);
            const Tensor rate_now = rate / (1 - p1), scale = sqrt(1 - p2);
            for (const auto& [i, gradient] : changes) {
              const Parameter& w = all[i];
              const Tensor g = self.weight_decay != 0 ? gradient + self.weight_decay * w : gradient;
              const Tensor m = self.beta1 * first[i] + (1 - self.beta1) * g;
              const Tensor v = self.beta2 * second[i] + (1 - self.beta2) * square(g);
              first[i].set(m);
              second[i].set(v);
              const Tensor size = sqrt(v) / cast(scale, w.dtype()) + self.eps;
              w.set(w - cast(rate_now, w.dtype()) * m / size);
            }
          }};
}

}  // namespace gcompile::optim
