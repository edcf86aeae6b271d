// gcompile: a model in C++ becomes one native training step. Include this; everything public is in namespace gcompile
// (nn, optim, data), usually as `namespace gc = gcompile;`.
#pragma once

// IWYU pragma: begin_exports
#include "gcompile/base/array.h"
#include "gcompile/base/error.h"
#include "gcompile/frontend/conv.h"
#include "gcompile/frontend/fit.h"
#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/grad.h"
#include "gcompile/frontend/jit.h"
#include "gcompile/frontend/nn/activations.h"
#include "gcompile/frontend/nn/conv.h"
#include "gcompile/frontend/nn/linear.h"
#include "gcompile/frontend/nn/losses.h"
#include "gcompile/frontend/nn/module.h"
#include "gcompile/frontend/nn/sequential.h"
#include "gcompile/frontend/optim/adam.h"
#include "gcompile/frontend/optim/sgd.h"
#include "gcompile/frontend/ordering.h"
#include "gcompile/frontend/predict.h"
#include "gcompile/frontend/train.h"
#include "gcompile/runtime/checkpoint.h"
#include "gcompile/runtime/data/csv.h"
#include "gcompile/runtime/data/dataset.h"
#include "gcompile/runtime/data/loader.h"
#include "gcompile/runtime/data/scale.h"
#include "gcompile/runtime/metrics.h"
#include "gcompile/runtime/npy.h"
#include "gcompile/runtime/plot.h"
#include "gcompile/runtime/progress.h"
#include "gcompile/runtime/random.h"
// IWYU pragma: end_exports
