# Language level, output folders, linker, compiler cache and the flags of our own code (target gcompile_flags).

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()
# -O2: the code whose speed matters is generated at run time; -O3 only makes the build slower.
string(REPLACE "-O3" "-O2" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)

find_program(GCOMPILE_CCACHE ccache)
mark_as_advanced(GCOMPILE_CCACHE)
if(GCOMPILE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${GCOMPILE_CCACHE})
endif()

include(CheckLinkerFlag)
foreach(linker mold lld)
  check_linker_flag(CXX -fuse-ld=${linker} GCOMPILE_LINKER_${linker})
  if(GCOMPILE_LINKER_${linker})
    add_link_options(-fuse-ld=${linker})
    break()
  endif()
endforeach()

if(GCOMPILE_SANITIZE)
  add_compile_options(-fsanitize=${GCOMPILE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GCOMPILE_SANITIZE})
endif()

# -ffp-contract=off: a rounding is where the source says it is; the interpreter is the reference for bits.
add_library(gcompile_flags INTERFACE)
target_compile_options(gcompile_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -ffp-contract=off -ffunction-sections -fdata-sections
  $<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>
  $<$<BOOL:${GCOMPILE_WERROR}>:-Werror>)
target_include_directories(gcompile_flags INTERFACE ${PROJECT_BINARY_DIR}/include)
