// The table of named targets and the record of the host. The host is asked once per process; a named target is the same
// on every machine, caches included, so that what is decided from it is too.
#include <cstdlib>
#include <fstream>
#include <span>

#include "gcompile/base/error.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/codegen/host.h"

namespace gcompile::codegen {
namespace {

// Measured, or of the tables of Agner Fog and uops.info. Products are those of whole registers.
constexpr Rates kSse{};
constexpr Rates kAvx2{.division = 5, .root = 8, .store_bytes = 32, .l2 = 32, .l3 = 16, .dram = 6, .gather = 1.2};
constexpr Rates kAvx512{.operations = 2,
                        .division = 10,
                        .root = 16,
                        .load_bytes = 128,
                        .store_bytes = 64,
                        .l2 = 32,
                        .l3 = 12,
                        .dram = 5,
                        .gather = 1.2};
constexpr Rates kZen3{.ghz = 3.6,
                      .operations = 4,
                      .division = 5,
                      .root = 8,
                      .load_bytes = 64,
                      .store_bytes = 32,
                      .l2 = 32,
                      .l3 = 24,
                      .dram = 7,
                      .l3_bytes = 32 * 1024 * 1024};
// AVX-512 in halves of 256 bits.
constexpr Rates kZen4{.ghz = 3.66,
                      .operations = 2,
                      .products = 1,
                      .division = 6.5,
                      .root = 10,
                      .load_bytes = 64,
                      .store_bytes = 32,
                      .l2 = 30,
                      .l3 = 22,
                      .dram = 6,
                      .l3_bytes = 16 * 1024 * 1024};
constexpr Rates kZen5{.ghz = 3.95,
                      .issue = 8,
                      .operations = 4,
                      .division = 5,
                      .root = 10,
                      .load_bytes = 128,
                      .store_bytes = 64,
                      .l2 = 50,
                      .l3 = 27,
                      .dram = 10,
                      .l3_bytes = 32 * 1024 * 1024};
constexpr Rates kIntel512{.ghz = 2.75,
                          .operations = 2,
                          .division = 10,
                          .root = 18,
                          .load_bytes = 128,
                          .store_bytes = 64,
                          .l2 = 32,
                          .l3 = 9.5,
                          .dram = 4.7,
                          .l3_bytes = 32 * 1024 * 1024,
                          .gather = 1};

// By LLVM's name of the processor; another one has the rates of its level.
struct Family {
  std::string_view cpu;
  const Rates& rates;
};
constexpr Family kFamilies[] = {{"znver2", kZen3},
                                {"znver3", kZen3},
                                {"znver4", kZen4},
                                {"znver5", kZen5},
                                {"skylake-avx512", kIntel512},
                                {"cascadelake", kIntel512},
                                {"icelake-server", kIntel512},
                                {"sapphirerapids", kIntel512},
                                {"emeraldrapids", kIntel512},
                                {"graniterapids", kIntel512}};

struct Level {
  std::string_view name;  // the processor's name for LLVM too
  int vector_bytes, vector_registers;
  bool has_fma, has_f16c;
  const Rates& rates;
  std::vector<std::string_view> features;  // beyond the level before, as LLVM calls them
};

// The levels of the x86-64 psABI; each includes those before it.
std::span<const Level> levels() {
  static const std::vector<Level> table = {
      {"x86-64", 16, 16, false, false, kSse, {"sse2"}},
      {"x86-64-v3",
       32,
       16,
       true,
       true,
       kAvx2,
       {"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "popcnt", "sse4.2"}},
      {"x86-64-v4", 64, 32, true, true, kAvx512, {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}},
  };
  return table;
}

Target target_of(const Level& level) {
  Target t;
  t.name = t.cpu = std::string(level.name);
  t.vector_bytes = level.vector_bytes;
  t.vector_registers = level.vector_registers;
  t.has_fma = level.has_fma;
  t.has_f16c = level.has_f16c;
  t.rates = level.rates;
  return t;
}

// Size of the data or unified cache of a level as Linux reports it ("32K"); the fallback where it does not.
std::int64_t cache_bytes(int level, std::int64_t fallback) {
  for (int index = 0; index < 5; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    int found = 0;
    std::string type;
    std::int64_t kib = 0;
    if (std::ifstream(folder + "level") >> found && found == level && std::ifstream(folder + "type") >> type &&
        type != "Instruction" && std::ifstream(folder + "size") >> kib && kib > 0)
      return kib * 1024;
  }
  return fallback;
}

std::string_view missing_feature(const Level& wanted) {
  for (const Level& level : levels()) {
    for (std::string_view f : level.features)
      if (!host().has(f)) return f;
    if (level.name == wanted.name) break;
  }
  return {};
}

Target detect_host() {
  Target t;
  for (const Level& level : levels())
    if (missing_feature(level).empty()) t = target_of(level);
  t.name = "host";
  t.cpu = host().cpu;
  t.features = host().features;
  t.l1_bytes = cache_bytes(1, t.l1_bytes);
  t.l2_bytes = cache_bytes(2, t.l2_bytes);
  for (const Family& f : kFamilies)
    if (f.cpu == t.cpu) t.rates = f.rates;
  return t;
}

}  // namespace

Target host_target() {
  static const Target t = detect_host();
  return t;
}

std::vector<std::string> target_names() {
  std::vector<std::string> names{"host"};
  for (const Level& level : levels()) names.emplace_back(level.name);
  return names;
}

Target target_named(const std::string& name) {
  if (name == "host") return host_target();
  for (const Level& level : levels())
    if (level.name == name) return target_of(level);
  std::string known;
  for (const std::string& n : target_names()) known += (known.empty() ? "" : ", ") + n;
  throw Error("unknown target \"" + name + "\"; known are " + known);
}

Target default_target() {
  const char* name = std::getenv("GCOMPILE_TARGET");
  if (!name || !*name) return host_target();
  try {
    return target_named(name);
  } catch (const Error& e) {
    throw Error("GCOMPILE_TARGET: " + std::string(e.what()));
  }
}

bool runs_here(const Target& target, std::string* why) {
  std::string reason;
  if (target.triple != Target{}.triple) {
    reason = "it is for " + target.triple;
  } else if (target.name != "host") {
    for (const Level& level : levels())
      if (level.name == target.name) {
        if (const std::string_view f = missing_feature(level); !f.empty())
          reason = "this processor (" + host().cpu + ") lacks " + std::string(f);
      }
  }
  if (why) *why = reason;
  return reason.empty();
}

}  // namespace gcompile::codegen
