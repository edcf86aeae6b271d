// GCOMPILE_PROFILE=FILE.json: every program that uses the library measures the launches of all that it compiles, and
// writes a trace of them when the compiled functions go; "-" prints tables on stderr instead. For debugging only.
#pragma once

#include <functional>

#include "gcompile/runtime/profile.h"

namespace gcompile::runtime {

// Takes the profile of an executable that goes.
using ProfileReport = std::function<void(const Profile&)>;

// What GCOMPILE_PROFILE asks for; empty when it is not set. A file that cannot be written is one warning on stderr.
ProfileReport profile_report_from_environment();
// Prints a table on stderr ("-"), or writes one trace of this profile and of those that went there before.
ProfileReport profile_report(const std::string& file);

}  // namespace gcompile::runtime
