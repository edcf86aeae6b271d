#include "gcompile/passes/estimate.h"

#include <algorithm>
#include <cstdio>

#include "gcompile/passes/estimate_compute.h"
#include "gcompile/passes/estimate_traffic.h"
#include "gcompile/passes/work.h"

namespace gcompile::passes {
namespace {

SymbolValue values_of(const ir::KernelModule& module, const DimValues& dims) {
  return [&](const std::string& symbol) {
    const auto it = dims.find(symbol);
    return it == dims.end() ? typical_extent(module.bounds, symbol) : it->second;
  };
}

// How often a launch is made in a call: once for every step of the loops around it; of a while no more is known than
// one.
double times_launched(const ir::Program& program, std::size_t launch, const DimValues& dims) {
  if (launch >= program.launches.size()) return 1;  // the copies
  const ir::KernelModule& m = program.module;
  double times = 1;
  for (int r = m.kernels.at(static_cast<std::size_t>(program.launches[launch].kernel)).region; r >= 0;
       r = m.regions[static_cast<std::size_t>(r)].parent)
    if (m.regions[static_cast<std::size_t>(r)].kind == ir::Region::Kind::kLoop)
      times *= static_cast<double>(m.regions[static_cast<std::size_t>(r)].extent.evaluate(values_of(m, dims)));
  return times;
}

}  // namespace

std::int64_t typical_extent(const std::map<std::string, ir::DimBounds>& bounds, const std::string& symbol) {
  const auto it = bounds.find(symbol);
  return it == bounds.end() ? kTypicalExtent : std::clamp(kTypicalExtent, it->second.min, it->second.max);
}

std::vector<Estimate> estimate(const ir::KernelModule& module, const DimValues& dims, const Target& target,
                               int threads) {
  const SymbolValue symbols = values_of(module, dims);
  const Rates& r = target.rates;
  const std::vector<Misses> misses = misses_of(module, symbols, target);
  std::vector<Estimate> all;
  for (std::size_t k = 0; k < module.kernels.size(); ++k) {
    const ir::Kernel& kernel = module.kernels[k];
    const ir::Instr* loop = kernel.parallel_loop();
    const bool shared = threads > 1 && loop && work_of(*loop).evaluate(symbols) >= target.serial_cutoff;
    const int sharing = shared ? threads : 1;
    all.push_back({.compute = compute_cycles(kernel, symbols, target, sharing) / r.ghz,
                   .memory = memory_cycles(misses[k], r, sharing) / r.ghz,
                   .launch = (r.launch + (shared ? r.wake : 0)) / r.ghz});
  }
  return all;
}

std::vector<Estimate> estimate(const ir::Program& program, const DimValues& dims, const Target& target, int threads) {
  const std::vector<Estimate> kernels = estimate(program.module, dims, target, threads);
  std::vector<Estimate> all;
  for (const ir::Launch& l : program.launches) all.push_back(kernels.at(static_cast<std::size_t>(l.kernel)));
  if (program.copies.empty()) return all;
  const SymbolValue symbols = values_of(program.module, dims);
  double bytes = 0;
  for (const ir::StateCopy& c : program.copies) {
    const Type& type = program.module.buffers.at(static_cast<std::size_t>(c.state)).type;
    bytes += 2 * static_cast<double>(type.size().evaluate(symbols)) * static_cast<double>(size_of(type.dtype));
  }
  const Rates& r = target.rates;
  const double calls = static_cast<double>(program.copies.size());
  all.push_back({.memory = bytes / r.l2 / r.ghz, .launch = calls * r.launch / r.ghz});
  return all;
}

double estimated_call(const ir::Program& program, const DimValues& dims, const Target& target, int threads) {
  double sum = target.rates.call / target.rates.ghz;
  const std::vector<Estimate> all = estimate(program, dims, target, threads);
  for (std::size_t i = 0; i < all.size(); ++i) sum += times_launched(program, i, dims) * all[i].nanoseconds();
  return sum;
}

std::string duration(double nanoseconds) {
  struct Scale {
    double nanoseconds;
    const char* name;
  };
  constexpr Scale kScales[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
  for (const Scale& s : kScales)
    if (nanoseconds >= s.nanoseconds * 0.9995 || s.nanoseconds == 1) {
      const double x = nanoseconds / s.nanoseconds;
      char text[32];
      std::snprintf(text, sizeof text, "%.*f %s", x >= 99.95 ? 0 : x >= 9.995 ? 1 : 2, x, s.name);
      return text;
    }
  return {};
}

}  // namespace gcompile::passes
