// From the start of a process to its first finished step of W5, nothing cached or from the compile cache, and the
// memory that the process then holds: gcompile-first-step is started again and again. process/start is the same program
// told to do nothing.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>
#include <sstream>

#include "verify.h"

extern char** environ;

namespace gcompile::bench {
namespace {

void require(int error, const char* what) {
  if (error) throw std::runtime_error(std::string(what) + ": " + std::strerror(error));
}

// Runs the helper and returns what it printed; `milliseconds` is until it had printed and ended.
std::string run_helper(const std::string& argument, const std::string& cache, double* milliseconds) {
  const std::string path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "gcompile-first-step";
  int ends[2];
  require(pipe2(ends, O_CLOEXEC) ? errno : 0, "pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  char* const arguments[] = {const_cast<char*>(path.c_str()), const_cast<char*>(argument.c_str()),
                             const_cast<char*>(cache.c_str()), nullptr};

  const auto begin = Clock::now();
  pid_t child = 0;
  const int error = posix_spawn(&child, path.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  char buffer[256];
  for (ssize_t n; !error && (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  require(error, path.c_str());
  int status = 0;
  waitpid(child, &status, 0);
  *milliseconds = milliseconds_since(begin);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error("gcompile-first-step failed");
  return text;
}

// The words of "loss L compile_ms C ..." by name.
std::map<std::string, double> figures(const std::string& text) {
  std::map<std::string, double> all;
  std::istringstream words(text);
  std::string name;
  for (double value; words >> name >> value;) all[name] = value;
  return all;
}

void first_step(benchmark::State& state, const char* steps, bool cached) {
  guarded(state, [&] {
    const CacheFolder folder;
    const std::string cache = cached ? folder.path() : "off";
    // The same step in this process: its loss is what the helper must print.
    const data::Table table = diabetes_rows(32);
    Diabetes model;
    TrainStep step(model, nn::BCELoss{}, optim::SGD{.lr = 0.1});
    double loss = 0;
    for (int i = 0; i < std::stoi(steps); ++i) loss = step(table.inputs(), table.labels()).item();

    std::map<std::string, double> last;
    double compile_ms = 0, first_ms = 0;
    if (cached) run_helper(steps, cache, &first_ms);
    std::int64_t rounds = 0;
    for (auto _ : state) {
      double ms = 0;
      last = figures(run_helper(steps, cache, &ms));
      state.SetIterationTime(ms / 1e3);
      require_near("the helper's loss", last.at("loss"), loss, 1e-6);
      compile_ms += last.at("compile_ms");
      ++rounds;
    }
    state.counters["compile_ms"] = compile_ms / static_cast<double>(rounds);
    state.counters["rss_mb"] = last["rss_kb"] / 1024;
    state.counters["peak_rss_mb"] = last["peak_kb"] / 1024;
  });
}

void start(benchmark::State& state) {
  guarded(state, [&] {
    for (auto _ : state) {
      double ms = 0;
      run_helper("--nothing", "off", &ms);
      state.SetIterationTime(ms / 1e3);
    }
  });
}

BENCHMARK(start)->Name("process/start")->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_step, one, "1", false)
    ->Name("process/first_step_W5")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_step, cached, "1", true)
    ->Name("process/first_step_W5_cached")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_step, many, "1000", false)
    ->Name("process/1000_steps_W5")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gcompile::bench
