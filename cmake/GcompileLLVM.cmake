# Finds LLVM 19 through llvm-config. Sets GCOMPILE_LLVM_INCLUDE_DIR, GCOMPILE_LLVM_LIBRARIES (static archives, in
# link order, and what they need) and GCOMPILE_LLVM_TOOLS_DIR (FileCheck and its like).
find_program(GCOMPILE_LLVM_CONFIG NAMES llvm-config-19 HINTS /usr/lib/llvm-19/bin DOC "llvm-config of LLVM 19")
if(NOT GCOMPILE_LLVM_CONFIG)
  message(FATAL_ERROR "LLVM 19 was not found (llvm-config-19). On Debian: ./setup.sh, or apt-get install llvm-19-dev.")
endif()

function(gcompile_llvm_config result)
  execute_process(COMMAND ${GCOMPILE_LLVM_CONFIG} ${ARGN} OUTPUT_VARIABLE output OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  set(${result} "${output}" PARENT_SCOPE)
endfunction()

gcompile_llvm_config(GCOMPILE_LLVM_VERSION --version)
if(NOT GCOMPILE_LLVM_VERSION MATCHES "^19\\.")
  message(FATAL_ERROR "LLVM 19 is needed; ${GCOMPILE_LLVM_CONFIG} is of version ${GCOMPILE_LLVM_VERSION}.")
endif()
gcompile_llvm_config(GCOMPILE_LLVM_INCLUDE_DIR --includedir)
gcompile_llvm_config(GCOMPILE_LLVM_TOOLS_DIR --bindir)
gcompile_llvm_config(archives --link-static --libfiles orcjit x86 nvptx passes)
separate_arguments(archives UNIX_COMMAND "${archives}")

# zstd and z are what these components use; the z3 and xml2 that llvm-config lists belong to others.
find_library(GCOMPILE_ZSTD_LIBRARY zstd REQUIRED)
mark_as_advanced(GCOMPILE_ZSTD_LIBRARY GCOMPILE_LLVM_CONFIG)
set(GCOMPILE_LLVM_LIBRARIES ${archives} ${GCOMPILE_ZSTD_LIBRARY} ZLIB::ZLIB ${CMAKE_DL_LIBS})
foreach(variable GCOMPILE_LLVM_VERSION GCOMPILE_LLVM_INCLUDE_DIR GCOMPILE_LLVM_TOOLS_DIR GCOMPILE_LLVM_LIBRARIES)
  set(${variable} "${${variable}}" CACHE INTERNAL "")
endforeach()
