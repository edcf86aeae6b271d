// Test programs started by hand do without the user's compile cache too (tests/environment.cmake does it for ctest).
#include <cstdlib>

namespace {

[[maybe_unused]] const int kNoCache = ::setenv("GCOMPILE_CACHE", "off", 0);

}  // namespace
