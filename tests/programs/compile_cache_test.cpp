// The compile cache as a whole: what comes from it computes the same bits, and nothing that must not be run is.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "gcompile/codegen/cache_entry.h"
#include "gcompile/codegen/cache_key.h"
#include "gcompile/codegen/check/call.h"
#include "gcompile/codegen/compile.h"
#include "gcompile/passes/pipeline.h"
#include "tests/support/cache_log.h"
#include "tests/support/graphs.h"
#include "tests/unit/temp_dir.h"

namespace gcompile {
namespace {

namespace fs = std::filesystem;
using codegen::CacheEvent;
using testing::CacheLog;
using testing::TempDir;
using Kinds = std::vector<CacheEvent>;

const Kinds kCompiled{CacheEvent::kMiss, CacheEvent::kStored}, kLoaded{CacheEvent::kHit},
    kCompiledAnew{CacheEvent::kRejected, CacheEvent::kStored};
const Dim kN("N");

struct CompileCache : ::testing::Test {
  TempDir dir;
  CacheLog log;
  codegen::CompileOptions options;

  void SetUp() override {
    options.cache = dir.path();
    options.cache_observer = log.observer();
  }
  std::shared_ptr<runtime::Executable> compile(const ir::Graph& graph) {
    log.events.clear();
    return codegen::compile(graph, options);
  }
  std::string only_file() const { return fs::directory_iterator(dir.path())->path().filename(); }
};

// Results and updated states after two calls that begin with the states as they are; these are restored.
std::vector<Array> outcome(const ir::Graph& graph, runtime::Executable& executable) {
  const codegen::Call call = codegen::sample_call(graph, {{"N", 21}}, 7);
  std::vector<const Array*> arguments;
  for (const Array& a : call.inputs) arguments.push_back(&a);
  std::vector<Array> values(executable.result_count());
  for (int i = 0; i < 2; ++i) executable.run(arguments, values);
  for (const auto& s : graph.states) {
    values.push_back(s.storage->value());
    s.storage->assign(call.states.at(s.name));
  }
  return values;
}

void expect_same_bits(const std::vector<Array>& a, const std::vector<Array>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(same_bits(a[i], b[i])) << what << ", value " << i;
}

TEST_F(CompileCache, GivesTheSameBitsAndRunsNoPass) {
  for (const bool check_nan : {false, true}) {
    options.check_nan = check_nan;
    for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
      const auto made = compile(graph);
      EXPECT_EQ(log.kinds(), kCompiled) << name;
      EXPECT_FALSE(made->from_cache);
      const auto loaded = compile(graph);
      EXPECT_EQ(log.kinds(), kLoaded) << name;
      EXPECT_TRUE(loaded->from_cache);
      EXPECT_TRUE(loaded->program().module.kernels.empty());
      EXPECT_EQ(loaded->peak_bytes({{"N", 21}}), made->peak_bytes({{"N", 21}}));
      expect_same_bits(outcome(graph, *loaded), outcome(graph, *made), name);
    }
  }
}

TEST_F(CompileCache, DumpsWhatACompilationDumps) {
  for (const auto& [name, graph] : testing::whole_program_graphs(kN)) {
    const auto made = compile(graph), loaded = compile(graph);
    ASSERT_TRUE(loaded->from_cache);
    for (const char* stage : {"graph", "kernel", "program", "llvm", "asm"})
      EXPECT_EQ(loaded->dump(stage), made->dump(stage)) << name << ", " << stage;
  }
}

// x times a constant row.
ir::Graph scaled(const Array& row, std::uint32_t line, const Dim& extent = kN, std::int64_t least = 0) {
  ir::Graph graph("scaled");
  ir::Builder b(graph);
  b.where = {{"model.cpp", line}};
  const Type type{DType::kF32, {extent, 3}};
  const ir::Value x = b.input("x", type);
  const ir::Value rows =
      b.make("broadcast", {b.constant(row)}, {{"axes", std::vector<std::int64_t>{1}}, {"dims", type.dims}});
  graph.results.push_back({b.make("mul", {x, rows}), ""});
  if (least) graph.bounds["N"].min = least;
  return graph;
}

TEST_F(CompileCache, MissesForAnythingThatTheCodeDependsOn) {
  const Array a{1.0f, 2.0f, 3.0f};
  const auto misses = [&](const std::string& what, const ir::Graph& graph) {
    compile(graph);
    EXPECT_EQ(log.kinds(), kCompiled) << what;
    compile(graph);
    EXPECT_EQ(log.kinds(), kLoaded) << what;
  };
  misses("the first", scaled(a, 1));
  compile(scaled(a, 1));
  EXPECT_EQ(log.kinds(), kLoaded) << "an equal graph";
  misses("another line", scaled(a, 2));
  misses("another constant", scaled(Array{1.0f, 2.0f, 4.0f}, 1));
  misses("a constant with another bit", scaled(Array{1.0f, 2.0f, std::nextafter(3.0f, 4.0f)}, 1));
  misses("another extent", scaled(a, 1, 21));
  misses("other bounds", scaled(a, 1, kN, 2));
  const std::string other = codegen::default_target().name == "x86-64" ? "host" : "x86-64";
  const std::function<void(Target&)> changes[] = {[&](Target& t) { t = codegen::target_named(other); },
                                                  [](Target& t) { t.features += ",+cmov"; },
                                                  [](Target& t) { t.reorder_window += 1; },
                                                  [](Target& t) { t.serial_cutoff += 1; },
                                                  [](Target& t) { t.chains += 1; },
                                                  [](Target& t) { t.l1_bytes *= 2; },
                                                  [](Target& t) { t.l2_bytes *= 2; },
                                                  [](Target& t) { t.unroll_limit += 1; },
                                                  [](Target& t) { t.tile_elements += 1; },
                                                  [](Target& t) { t.stack_limit *= 2; }};
  for (const auto& change : changes) {
    options.target = codegen::default_target();
    change(options.target);
    misses("target " + std::to_string(&change - changes), scaled(a, 1));
  }
  options.target = codegen::default_target();
  options.check_nan = true;
  misses("an option", scaled(a, 1));
  options.debug_info = true;
  misses("another option", scaled(a, 1));
  options.memory_budget = 1000;
  misses("with a memory budget", scaled(a, 1));
}

TEST_F(CompileCache, IsLeftAsideByWhoWantsToSeeThePasses) {
  const ir::Graph graph = scaled(Array{1.0f, 2.0f, 3.0f}, 1);
  compile(graph);
  options.profile = true;
  EXPECT_FALSE(compile(graph)->from_cache);
  EXPECT_TRUE(log.events.empty());
  options.profile = false;
  int passes = 0;
  options.after_pass = [&](const std::string&, const std::string&) { ++passes; };
  EXPECT_FALSE(compile(graph)->from_cache);
  EXPECT_GT(passes, 10);
  options.after_pass = nullptr;
  options.verify_each = true;
  EXPECT_FALSE(compile(graph)->from_cache);
  options.verify_each = false;
  options.cache = "off";
  EXPECT_FALSE(compile(graph)->from_cache);
  EXPECT_TRUE(log.events.empty());
}

TEST_F(CompileCache, CompilesAnewWhatIsBrokenAndReplacesIt) {
  const ir::Graph graph = testing::batch_norm_graph(kN);
  const std::vector<Array> wanted = outcome(graph, *compile(graph));
  const std::string name = only_file(), good = dir.read(name);
  const std::size_t object_bytes =
      codegen::emit_object(passes::run_pipeline(graph, {options.target}), options.target).size();
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{8}, std::size_t{20}, std::size_t{33}, std::size_t{41}, std::size_t{50},
        std::size_t{100}, 64 + object_bytes / 2, 64 + object_bytes + 10, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    dir.write(name, bad);
    const auto made = compile(graph);
    EXPECT_EQ(log.kinds(), kCompiledAnew) << "byte " << at;
    expect_same_bits(outcome(graph, *made), wanted, "byte " + std::to_string(at));
    EXPECT_EQ(dir.read(name), good) << "the same code again";
    compile(graph);
    EXPECT_EQ(log.kinds(), kLoaded);
  }
}

// A whole entry under the right key whose description is another one's, cut off or wrong: told before it runs.
TEST_F(CompileCache, RefusesADescriptionThatDoesNotFitTheGraph) {
  const ir::Graph graph = testing::batch_norm_graph(kN), other = testing::swap_graph(kN);
  const auto key = codegen::cache_key(graph, options.target, false);
  ASSERT_TRUE(key);
  const ir::Program program = passes::run_pipeline(graph, {options.target});
  const std::string object = codegen::emit_object(program, options.target);
  const std::string good = codegen::encode_program(program, graph).value();
  const std::string foreign = codegen::encode_program(passes::run_pipeline(other, {options.target}), other).value();
  codegen::ObjectCache cache(dir.path());
  const auto refused = [&](std::string_view code, std::string_view description) {
    cache.write(*key, code, description);
    compile(graph);
    return log.kinds() == kCompiledAnew;
  };
  EXPECT_TRUE(refused(object, foreign));
  EXPECT_TRUE(refused(object, good + good));
  EXPECT_TRUE(refused("no object", good));
  for (std::size_t length = 0; length < good.size(); length += 7)
    EXPECT_THROW(codegen::decode_program(good.substr(0, length), graph), DataError) << length;
  for (std::size_t i = 0; i < good.size(); ++i) {  // refused or read, never anything else
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << i % 8));
    try {
      codegen::decode_program(bad, graph);
    } catch (const DataError&) {
    }
  }
}

TEST_F(CompileCache, FailsNoCompilationWhereItCannotWrite) {
  const ir::Graph graph = scaled(Array{1.0f, 2.0f, 3.0f}, 1);
  for (const char* folder : {"/proc/nowhere", "/dev/null/folder"}) {
    options.cache = folder;
    EXPECT_FALSE(outcome(graph, *compile(graph)).empty());
    EXPECT_EQ(log.count(CacheEvent::kUnusable), 1) << folder;
  }
}

TEST_F(CompileCache, IsSharedByProcessesThatCompileAtOnce) {
  const ir::Graph graph = testing::batch_norm_graph(kN);
  codegen::CompileOptions without;
  without.cache = "off";
  const std::vector<Array> wanted = outcome(graph, *codegen::compile(graph, without));
  const std::string file = codegen::ObjectCache(dir.path()).path(*codegen::cache_key(graph, options.target, false));
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      bool good = true;
      for (int round = 0; round < 3; ++round) {
        const std::vector<Array> values = outcome(graph, *compile(graph));
        for (std::size_t k = 0; k < wanted.size(); ++k) good &= same_bits(values[k], wanted[k]);
        good &= log.count(CacheEvent::kRejected) == 0 && log.count(CacheEvent::kUnusable) == 0;
        if (round == 1) fs::remove(file);
      }
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (const auto& entry : fs::directory_iterator(dir.path()))
    EXPECT_EQ(entry.path().extension(), ".gco") << "left behind";
}

TEST(CompileCacheOption, OfTrainStepAndJit) {
  const TempDir dir;
  const JitOptions options{.cache = dir.path()};
  const Array x{{0.5f, -1.0f}, {2.0f, 0.25f}, {1.0f, 1.0f}}, y{{1.0f}, {0.0f}, {1.0f}};
  std::vector<std::vector<Array>> runs;
  for (const bool loaded : {false, true}) {
    struct Net : nn::Module {
      nn::Linear a{this, "a", 2, 3}, b{this, "b", 3, 1};
      Tensor forward(Tensor t) const { return sigmoid(b(tanh(a(t)))); }
    } net;
    TrainStep step(net, nn::BCELoss{}, optim::Adam{}, options);
    std::vector<Array> values;
    for (const std::int64_t rows : {3, 2, 3, 1}) values.push_back(step(x.rows(0, rows), y.rows(0, rows)));
    EXPECT_EQ(step.variant_count(), 2u);  // one row is a program of its own, and an entry
    EXPECT_EQ(step.compiled(x.rows(0, 1), y.rows(0, 1)).from_cache(), loaded);
    EXPECT_EQ(step.compiled(x.rows(0, 2), y.rows(0, 2)).from_cache(), loaded);
    EXPECT_FALSE(step.compiled().dump("asm").empty());
    for (const State& s : step.states()) values.push_back(s.value());
    auto f = jit([](Tensor t) { return sum(exp(t)); }, options);
    values.push_back(f(x));
    EXPECT_EQ(f.compiled().from_cache(), loaded);
    runs.push_back(values);
  }
  expect_same_bits(runs[0], runs[1], "training");
}

TEST(CompileCacheOption, ANaNIsExplainedFromTheGraph) {
  const TempDir dir;
  std::vector<std::string> texts;
  for (const bool loaded : {false, true}) {
    auto f = jit([](Tensor t) { return sum(log(t)); }, {.check = Check::NaN, .cache = dir.path()});
    texts.push_back(testing::message_of<NumericError>([&] { f(Array{1.0f, -1.0f}); }));
    EXPECT_EQ(f.compiled().from_cache(), loaded);
  }
  EXPECT_NE(texts[0].find("log made a NaN"), std::string::npos);
  EXPECT_EQ(texts[0], texts[1]);
}

}  // namespace
}  // namespace gcompile
