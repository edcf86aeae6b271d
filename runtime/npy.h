// bf16, which NumPy has not, is V2 there, as the package ml_dtypes has it: two bytes that only the reader knows.
//
// One Array as a file in NumPy's .npy format, versions 1.0 and 2.0 (numpy.lib.format: magic, version, a header that is
// a Python dict, then the elements).
#pragma once

#include <string>

#include "gcompile/base/array.h"

namespace gcompile {

// Reads little-endian <f2, <f4, <f8, <i4, <i8, <u4, |u1 and |b1 of up to kMaxRank dimensions; Fortran order becomes C
// order. Throws DataError ("PATH: ...") for a file that is missing, damaged or of another type.
Array load_npy(const std::string& path);

// Writes version 1.0 in C order, atomically. Throws DataError when the file cannot be written.
void save_npy(const std::string& path, const Array& array);

}  // namespace gcompile
