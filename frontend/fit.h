// fit: epochs over a loader, with a progress bar, figures of a validation set and a picture of the losses.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gcompile/frontend/train.h"
#include "gcompile/runtime/data/loader.h"

namespace gcompile {

struct FitOptions {
  std::int64_t epochs = 10;
  // Evaluated after every epoch; must outlive the call.
  std::optional<std::reference_wrapper<const data::Dataset>> validation = std::nullopt;
  std::string plot = "";    // an SVG file for the losses; none when empty
  bool progress = true;     // on stderr
  Metric metric = nullptr;  // of the validation set; by default accuracy, where the loss is a classifier's
  std::string metric_name = "accuracy";
};

struct History {
  // One figure per epoch: the mean over its samples (a loss that sums: the sum over its batches).
  std::vector<double> loss, validation_loss, metric;
  bool interrupted = false;  // by Ctrl-C: the epoch under way is not in the lists, its steps are in the parameters
};

// Ctrl-C (SIGINT) ends the run after the batch under way and is handled as before from then on; a second one ends the
// process. Throws NumericError when a loss is not finite (with epoch and batch, from 1, and the last loss that was) or
// when the step's own check for NaN stopped it (the parameters are then those before that batch), DataError when the
// picture cannot be written, and what the loader and the step throw.
History fit(TrainStep& step, const data::DataLoader& loader, const FitOptions& options = {},
            Where where = Where::current());

}  // namespace gcompile
