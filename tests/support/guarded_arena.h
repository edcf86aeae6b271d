// Memory for temporaries that ends where no page is: an access beyond it ends the process.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace gcompile::testing {

// So many bytes, less `missing`, in front of a page that must not be touched; the beginning is a multiple of 64, so up
// to 63 bytes of rest lie before the page.
inline std::shared_ptr<std::byte> before_a_guard(std::int64_t bytes, std::int64_t missing = 0) {
  const auto up = [](std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; };
  const std::int64_t page = ::sysconf(_SC_PAGESIZE), usable = up(bytes, page) + page;
  const auto size = static_cast<std::size_t>(usable + page);
  void* base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) throw std::bad_alloc();
  std::byte* end = static_cast<std::byte*>(base) + usable;
  ::mprotect(end, static_cast<std::size_t>(page), PROT_NONE);
  return {end - up(bytes, 64) + missing, [base, size](std::byte*) { ::munmap(base, size); }};
}

}  // namespace gcompile::testing
