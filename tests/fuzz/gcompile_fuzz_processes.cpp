#include "gcompile_fuzz_processes.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <iostream>
#include <system_error>

namespace gcompile::fuzz {
namespace {

constexpr unsigned kSeconds = 300;  // of one graph alone

[[noreturn]] void no_process() { throw std::system_error(errno, std::generic_category(), "no process"); }

std::string ending(int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return "crash: it takes too long";
  return WIFSIGNALED(status) ? "crash: signal " + std::to_string(WTERMSIG(status))
                             : "crash: exit code " + std::to_string(WEXITSTATUS(status));
}

// A process that runs f and ends, without what a program does at its own end.
template <class F>
pid_t start(F&& f) {
  std::cout.flush();
  const pid_t child = ::fork();
  if (child < 0) no_process();
  if (child != 0) return child;
  int code = 2;
  try {
    code = f();
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
  }
  std::cout.flush();
  ::_exit(code);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) no_process();
  return status;
}

}  // namespace

std::string in_process(const std::function<std::string()>& f) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) no_process();
  const pid_t child = start([&] {
    ::close(ends[0]);
    ::alarm(kSeconds);
    const std::string text = f();
    for (std::size_t done = 0; done < text.size();) {
      const ssize_t n = ::write(ends[1], text.data() + done, text.size() - done);
      if (n < 0) return 2;
      done += static_cast<std::size_t>(n);
    }
    return 0;
  });
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> part{};
  for (ssize_t n = 0; (n = ::read(ends[0], part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(n));
  ::close(ends[0]);
  const int status = wait_for(child);
  return status == 0 ? text : ending(status);
}

std::optional<std::uint64_t> each_in_process(std::uint64_t first, std::uint64_t last, unsigned seconds,
                                             const std::function<bool(std::uint64_t)>& f,
                                             const std::function<bool()>& end) {
  void* shared = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::bad_alloc();
  auto& at = *static_cast<volatile std::uint64_t*>(shared);
  const int status = wait_for(start([&] {
    for (std::uint64_t i = first; i < last; ++i) {
      at = i;
      ::alarm(seconds);
      if (!f(i)) return 1;
    }
    at = last;
    return end() ? 0 : 1;
  }));
  const std::uint64_t reached = at;
  ::munmap(shared, sizeof(std::uint64_t));
  return status == 0 ? std::nullopt : std::optional(reached);
}

}  // namespace gcompile::fuzz
