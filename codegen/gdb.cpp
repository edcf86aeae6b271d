#include "gcompile/codegen/gdb.h"

#include <cstdint>
#include <mutex>

// What GDB looks for in every object file of a process: a list of ELF files in memory, and a function on which it has a
// breakpoint, called whenever the list changes. Names and layout are GDB's. They are not exported: another compiler in
// this process has its own.
extern "C" {
struct jit_code_entry {  // NOLINT
  jit_code_entry *next_entry, *prev_entry;
  const char* symfile_addr;
  std::uint64_t symfile_size;
};
struct jit_descriptor {  // NOLINT
  std::uint32_t version, action_flag;
  jit_code_entry *relevant_entry, *first_entry;
};
[[gnu::visibility("hidden"), gnu::used]] jit_descriptor __jit_debug_descriptor{1, 0, nullptr, nullptr};  // NOLINT
[[gnu::visibility("hidden"), gnu::used, gnu::noinline]] void __jit_debug_register_code() {               // NOLINT
  asm volatile("" ::: "memory");
}
}

namespace gcompile::codegen {
namespace {

enum Action : std::uint32_t { kNothing, kRegister, kUnregister };

constinit std::mutex list_mutex;  // never destroyed: executables may go after everything else

void tell(Action action, jit_code_entry& entry) {
  __jit_debug_descriptor.action_flag = action;
  __jit_debug_descriptor.relevant_entry = &entry;
  __jit_debug_register_code();
  __jit_debug_descriptor.action_flag = kNothing;
  __jit_debug_descriptor.relevant_entry = nullptr;
}

class Registration {
 public:
  explicit Registration(std::string object) : object_(std::move(object)) {
    const std::lock_guard<std::mutex> lock(list_mutex);
    entry_ = {__jit_debug_descriptor.first_entry, nullptr, object_.data(), object_.size()};
    if (entry_.next_entry) entry_.next_entry->prev_entry = &entry_;
    __jit_debug_descriptor.first_entry = &entry_;
    tell(kRegister, entry_);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() {
    const std::lock_guard<std::mutex> lock(list_mutex);
    (entry_.prev_entry ? entry_.prev_entry->next_entry : __jit_debug_descriptor.first_entry) = entry_.next_entry;
    if (entry_.next_entry) entry_.next_entry->prev_entry = entry_.prev_entry;
    tell(kUnregister, entry_);
  }

 private:
  std::string object_;
  jit_code_entry entry_{};
};

}  // namespace

std::shared_ptr<void> register_with_gdb(std::string object) {
  return std::make_shared<Registration>(std::move(object));
}

}  // namespace gcompile::codegen
