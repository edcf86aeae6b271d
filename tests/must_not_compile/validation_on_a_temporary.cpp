// expect: std::reference_wrapper<const gcompile::data::Dataset>
#include <gcompile/gcompile.h>

namespace gc = gcompile;

gc::data::Table table();
gc::FitOptions options{.epochs = 1, .validation = table()};
