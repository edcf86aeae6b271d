// gcompile-bench: every workload is one line; see docs/benchmarks.md for what they are. Google Benchmark's options
// hold, such as --benchmark_filter='^W' and --benchmark_format=json. A line that says ERROR was found wrong and not
// timed. --perturb alone measures the suite's networks with every width and batch changed by one.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string_view>

#include "by_onednn.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/version.h"
#include "perturb.h"

int main(int argc, char** argv) {
  ::setenv("GCOMPILE_CACHE", "off", 1);  // what is called cold is cold; what is measured warm names a folder
  if (argc == 2 && std::string_view(argv[1]) == "--perturb") return gcompile::bench::perturb();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("gcompile", GCOMPILE_VERSION_STRING);
  benchmark::AddCustomContext("target", gcompile::codegen::default_target().name);
  if (const std::string version = gcompile::bench::onednn_version(); !version.empty())
    benchmark::AddCustomContext("onednn", version);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
