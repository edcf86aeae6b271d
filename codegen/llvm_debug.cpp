#include "gcompile/codegen/llvm_debug.h"

#include <llvm/BinaryFormat/Dwarf.h>

namespace gcompile::codegen {

DebugInfo::DebugInfo(llvm::Module& module, Kind kind) : builder_(module) {
  module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  module.addModuleFlag(llvm::Module::Warning, "Dwarf Version", 4);
  builder_.createCompileUnit(
      llvm::dwarf::DW_LANG_C_plus_plus_14, file(module.getName().str()), "gcompile", true, "", 0, "",
      kind == Kind::kTables ? llvm::DICompileUnit::LineTablesOnly : llvm::DICompileUnit::DebugDirectivesOnly);
}

llvm::DIFile* DebugInfo::file(const std::string& path) {
  llvm::DIFile*& f = files_[path];
  if (!f) f = builder_.createFile(path, "");
  return f;
}

void DebugInfo::begin(llvm::Function& function, const std::string& name, const Location& where) {
  auto* type = builder_.createSubroutineType(builder_.getOrCreateTypeArray({}));
  llvm::DIFile* f = file(where.known() ? where.file : function.getParent()->getName().str());
  function.setSubprogram(
      builder_.createFunction(f, name, function.getName(), f, where.line, type, where.line, llvm::DINode::FlagZero,
                              llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagOptimized));
}

llvm::DebugLoc DebugInfo::at(llvm::Function& function, const Location& where) {
  llvm::DISubprogram* subprogram = function.getSubprogram();
  llvm::LLVMContext& context = function.getContext();
  if (!where.known()) return llvm::DILocation::get(context, subprogram->getLine(), 0, subprogram);
  llvm::DIFile* f = file(where.file);
  llvm::DIScope*& scope = scopes_[{subprogram, f}];
  if (!scope) {
    scope = subprogram;
    if (f != subprogram->getFile()) scope = builder_.createLexicalBlockFile(subprogram, f);
  }
  return llvm::DILocation::get(context, where.line, 0, scope);
}

}  // namespace gcompile::codegen
