// Work in processes of its own, so that what dies in it - a fault of generated code, memory beyond a guard page, a
// graph that takes minutes - is a failure of one graph like others, and not the end of the fuzzer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace gcompile::fuzz {

// What f returns, or "crash: ..." when its process dies. Call it where no threads run.
std::string in_process(const std::function<std::string()>& f);

// Calls f(first), f(first + 1), ... f(last - 1), then `end`, all in one process; every f has `seconds` of time. The
// index at which f returned false or the process died, `last` for the end; nothing when all returned true.
std::optional<std::uint64_t> each_in_process(std::uint64_t first, std::uint64_t last, unsigned seconds,
                                             const std::function<bool(std::uint64_t)>& f,
                                             const std::function<bool()>& end);

}  // namespace gcompile::fuzz
