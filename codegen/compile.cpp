// The driver: the standard passes, then LLVM; or the cache.
#include "gcompile/codegen/compile.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "gcompile/base/error.h"
#include "gcompile/codegen/cache_entry.h"
#include "gcompile/codegen/cache_key.h"
#include "gcompile/codegen/dump.h"
#include "gcompile/ir/print.h"
#include "gcompile/passes/estimate.h"
#include "gcompile/passes/pipeline.h"
#include "gcompile/passes/work.h"
#include "gcompile/runtime/thread_pool.h"

namespace gcompile::codegen {
namespace {

std::vector<Location> input_locations(const ir::Graph& graph) {
  std::vector<Location> where;
  for (const ir::Graph::Input& input : graph.inputs) where.push_back(graph.first_location(input.value.node));
  return where;
}

ir::Program run_passes(const ir::Graph& graph, const CompileOptions& options, Dump* dump = nullptr) {
  passes::PipelineOptions pipeline;
  pipeline.verify_each = options.verify_each;
  pipeline.check_nan = options.check_nan;
#ifndef NDEBUG
  pipeline.verify_each = true;
#endif
  if (dump && (options.after_pass || dump->active()))
    pipeline.after_pass = [&](const passes::Pass& pass, const passes::Stage& stage, double) {
      const std::string text = passes::print(stage);
      dump->write(std::string(pass.name), std::string(passes::level(stage)), text);
      if (options.after_pass) options.after_pass(std::string(pass.name), text);
    };
  return passes::run_pipeline(graph, {options.target, options.memory_budget}, pipeline);
}

CodeOptions code_options(const CompileOptions& options) {
  const int threads = options.threads > 0 ? options.threads : runtime::ThreadPool::hardware_threads();
  return {options.profile, options.debug_info, threads};
}

// Prints stages on demand; lives in the executable that it points to. What came from the cache has no kernels: there
// the passes run then, one call at a time, for they add nodes to the graph's arena.
runtime::Dump dump_of(const runtime::Executable* e, const ir::Graph& graph, const CompileOptions& options) {
  CompileOptions quiet;
  quiet.target = options.target;
  quiet.check_nan = options.check_nan;
  quiet.memory_budget = options.memory_budget;
  quiet.profile = options.profile;
  quiet.debug_info = options.debug_info;
  return [e, graph, quiet, mutex = std::make_shared<std::mutex>()](const std::string& stage) -> std::string {
    if (stage == "graph") return passes::print(graph);
    ir::Program made;
    if (e->from_cache) {
      const std::lock_guard<std::mutex> lock(*mutex);
      made = run_passes(graph, quiet);
    }
    const ir::Program& program = e->from_cache ? made : e->program();
    if (stage == "kernel") return ir::print(program.module);
    if (stage == "program") return ir::print(program);
    if (stage == "llvm") return emit_llvm(program, quiet.target, code_options(quiet));
    if (stage == "asm") return emit_assembly(program, quiet.target);
    throw Error("no stage is called \"" + stage + "\"; there are graph, kernel, program, llvm, asm");
  };
}

// Has the states of a program lie in memory as it expects. False where one is pinned otherwise.
bool pin_orders(const ir::Program& program) {
  const auto all = [&](const auto& agrees) {
    return std::all_of(program.module.buffers.begin(), program.module.buffers.end(), [&](const ir::Buffer& b) {
      return b.role != ir::BufferRole::kState || !b.storage || agrees(b);
    });
  };
  return all([](const ir::Buffer& b) { return b.storage->pinned_order().value_or(b.order) == b.order; }) &&
         all([](const ir::Buffer& b) { return b.storage->pin_order(b.order); });
}

std::shared_ptr<runtime::Executable> finish(ir::Program program, runtime::NativeCode code, bool from_cache,
                                            const ir::Graph& graph, const CompileOptions& options) {
  std::vector<runtime::ProfiledLaunch> launches;
  if (options.profile) launches = profiled_launches(program, options.target);
  auto executable = std::make_shared<runtime::Executable>(std::move(program), std::move(code), input_locations(graph));
  if (options.profile) executable->start_profile(std::move(launches), runtime::profile_report_from_environment());
  executable->from_cache = from_cache;
  if (options.check_nan) executable->graph = std::make_shared<ir::Graph>(graph);
  executable->dump = dump_of(executable.get(), graph, options);
  if (!from_cache)
    executable->estimate = [e = executable.get(), target = options.target](const auto& dims, int threads) {
      return 1e-9 * passes::estimated_call(e->program(), dims, target, threads);
    };
  return executable;
}

// The options, and what the environment adds to them.
CompileOptions with_environment(CompileOptions options) {
  const auto is_set = [](const char* name) {
    const char* value = std::getenv(name);
    return value && *value && std::string_view(value) != "0";
  };
  options.profile |= is_set("GCOMPILE_PROFILE");
  options.debug_info |= is_set("GCOMPILE_DEBUG_INFO");
  return options;
}

// What the cache has for a key: nothing when there is no entry, or none that can be used; whether it is for states that
// lie in memory otherwise.
struct Cached {
  std::shared_ptr<runtime::Executable> executable = nullptr;
  bool conflicts = false;
};

Cached from_cache(ObjectCache& cache, const ContentHash& key, const ir::Graph& graph, const CompileOptions& options) {
  const std::optional<ObjectCache::Entry> entry = cache.read(key);
  if (!entry) return {};
  try {
    ir::Program program = decode_program(entry->program(), graph);
    if (!pin_orders(program)) return {.conflicts = true};
    auto executable =
        finish(std::move(program), link(entry->object(), options.target, code_options(options)), true, graph, options);
    cache.tell(CacheEvent::kHit, cache.path(key));
    return {executable};
  } catch (const DataError& e) {
    cache.reject(key, e.what());
  } catch (const InternalError& e) {
    cache.reject(key, e.what());
  }
  return {};
}

}  // namespace

std::vector<runtime::ProfiledLaunch> profiled_launches(const ir::Program& program, const Target& target) {
  std::vector<runtime::ProfiledLaunch> launches;
  // All are estimated together, when the first is asked for with new extents.
  struct Estimates {
    ir::Program program;
    passes::DimValues dims = {};
    std::vector<passes::Estimate> all = {};
  };
  const auto seconds = [target, kept = std::make_shared<Estimates>(Estimates{program})](const passes::DimValues& dims,
                                                                                        std::size_t launch) {
    if (kept->all.empty() || kept->dims != dims) {
      kept->all = passes::estimate(kept->program, dims, target);
      kept->dims = dims;
    }
    return 1e-9 * kept->all.at(launch).nanoseconds();
  };
  for (const ir::Launch& l : program.launches) {
    const ir::Kernel& k = program.module.kernels.at(static_cast<std::size_t>(l.kernel));
    const std::size_t launch = launches.size();
    launches.push_back({k.name, k.locations, passes::cost_of(k, program.module),
                        [=](const auto& dims) { return seconds(dims, launch); }});
  }
  if (program.copies.empty()) return launches;
  runtime::ProfiledLaunch copies{"(copies of states)", {}, {}};
  for (const ir::StateCopy& c : program.copies) {
    const Type& type = program.module.buffers.at(static_cast<std::size_t>(c.state)).type;
    const Dim bytes = type.size() * Dim(static_cast<std::int64_t>(size_of(type.dtype)));
    for (int direction = 0; direction < 2; ++direction) copies.cost.traffic.push_back({bytes, bytes});
  }
  copies.estimate = [=, launch = launches.size()](const auto& dims) { return seconds(dims, launch); };
  launches.push_back(std::move(copies));
  return launches;
}

namespace {

// Null when the orders of states that it was compiled for are out of date.
std::shared_ptr<runtime::Executable> compile_for_orders(const ir::Graph& graph, const CompileOptions& options) {
  Dump dump = Dump::from_environment(graph.name);
  // The cache keeps no kernels, which a profile is about.
  const bool watched = options.verify_each || options.after_pass || dump.active() || options.profile;
  ObjectCache cache(watched ? "" : cache_folder(options.cache), options.cache_bytes, options.cache_observer);
  std::optional<ContentHash> key;
  if (cache.active())
    key = cache_key(graph, options.target, options.check_nan, options.debug_info, options.memory_budget);
  if (key) {
    // One entry for states that nothing had pinned, which mostly fits those that it pinned itself, and one for every
    // other way in which they lie.
    const std::optional<ContentHash> pinned = key_for_pinned_orders(*key, graph);
    if (pinned && !cache.has(*key)) key = pinned;
    Cached cached = from_cache(cache, *key, graph, options);
    if (cached.conflicts && pinned && !(*key == *pinned)) {
      key = pinned;
      cached = from_cache(cache, *key, graph, options);
    }
    if (cached.executable) return cached.executable;
  }

  if (dump.active()) dump.write("trace", "graph", ir::print(graph));
  ir::Program program = run_passes(graph, options, &dump);
  if (dump.active()) {
    dump.write("llvm", "llvm", emit_llvm(program, options.target, code_options(options)));
    dump.write("asm", "asm", emit_assembly(program, options.target));
  }
  const std::string object = emit_object(program, options.target, code_options(options));
  if (!pin_orders(program)) return nullptr;
  runtime::NativeCode code = link(object, options.target, code_options(options));
  if (key)
    if (const std::optional<std::string> text = encode_program(program, graph)) cache.write(*key, object, *text);
  return finish(std::move(program), std::move(code), false, graph, options);
}

}  // namespace

std::shared_ptr<runtime::Executable> compile(const ir::Graph& graph, const CompileOptions& given) {
  const CompileOptions options = with_environment(given);
  for (;;)  // orders that are pinned stay, so every round has fewer to choose
    if (auto executable = compile_for_orders(graph, options)) return executable;
}

}  // namespace gcompile::codegen
