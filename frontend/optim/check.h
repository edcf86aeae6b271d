// What optimizers refuse in their settings. A TrainStep tells the line. Internal to optim.
#pragma once

#include <cmath>
#include <string>

#include "gcompile/base/error.h"

namespace gcompile::optim {

inline void refuse_setting(const std::string& optimizer, const std::string& setting, double value,
                           const std::string& wanted) {
  throw ModelError(optimizer + ": " + setting + " is " + std::to_string(value) + ", it must be " + wanted);
}

// Not negative; a NaN is neither.
inline void require_not_negative(const std::string& optimizer, const std::string& setting, double value) {
  if (!(value >= 0) || std::isinf(value))
    refuse_setting(optimizer, setting, value, "a finite number that is not negative");
}

// A share of what was before that is kept: one of all of it would forget nothing.
inline void require_share(const std::string& optimizer, const std::string& setting, double value) {
  if (!(value >= 0 && value < 1)) refuse_setting(optimizer, setting, value, "in [0, 1)");
}

}  // namespace gcompile::optim
