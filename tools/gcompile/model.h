// Reads the text of an IR and tells its level by its first word.
#pragma once

#include <boost/program_options.hpp>
#include <string>

#include "gcompile/passes/pipeline.h"
#include "gcompile/passes/specialize.h"

namespace gcompile::tool {

// The graph or the module in the file named by the positional argument; "-" or nothing is stdin. Symbols in `dims` get
// their values. Throws DataError and ParseError.
passes::Stage read_model(const boost::program_options::variables_map& vars, const passes::DimValues& dims);

// As above; where only the text is at hand.
passes::Stage parse_model(const std::string& text, const std::string& file);

}  // namespace gcompile::tool
