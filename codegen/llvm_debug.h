// DebugInfo: the user's lines in LLVM's debug metadata, for GDB and for the comments of printed assembly. One compile
// unit, a subprogram for every function; every instruction has the first of its lines. The code is the same with it.
#pragma once

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/Module.h>
#include <map>
#include <string>
#include <utility>

#include "gcompile/base/location.h"

namespace gcompile::codegen {

class DebugInfo {
 public:
  enum class Kind {
    kDirectives,  // in assembly alone: .loc lines
    kTables,      // DWARF: functions, and which address belongs to which line
  };
  DebugInfo(llvm::Module& module, Kind kind);

  // Makes the subprogram of a function before its instructions are made. `name` is what a debugger shows.
  void begin(llvm::Function& function, const std::string& name, const Location& where);
  // The place of instructions of that function; one that is not known is where the function is.
  llvm::DebugLoc at(llvm::Function& function, const Location& where);
  // After the last function.
  void finish() { builder_.finalize(); }

 private:
  llvm::DIFile* file(const std::string& path);

  llvm::DIBuilder builder_;
  std::map<std::string, llvm::DIFile*> files_;
  std::map<std::pair<llvm::DISubprogram*, llvm::DIFile*>, llvm::DIScope*> scopes_;
};

}  // namespace gcompile::codegen
