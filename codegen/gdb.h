// GDB is told of an object that was linked into this process, by its interface for code of compilers at run time
// (https://sourceware.org/gdb/current/onlinedocs/gdb.html/JIT-Interface.html).
#pragma once

#include <memory>
#include <string>

namespace gcompile::codegen {

// `object`: the bytes of the ELF file, with the addresses of its sections. GDB knows it until the handle goes.
std::shared_ptr<void> register_with_gdb(std::string object);

}  // namespace gcompile::codegen
