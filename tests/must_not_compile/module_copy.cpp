// expect: use of deleted function
#include <gcompile/gcompile.h>

namespace gc = gcompile;

gc::nn::Module model;
gc::nn::Module copy = model;
