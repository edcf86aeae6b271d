# libgcompile.so: all layers, with LLVM inside and hidden.
#
# --exclude-libs hides what comes from LLVM's archives, but not the LLVM templates that our own objects instantiate,
# nor our functions that take LLVM types. So the exported names are listed: exports.sh makes a version script from
# the objects' symbols. Two LLVMs can then live in one process.
set(objects)
foreach(layer IN LISTS GCOMPILE_LAYERS)
  if(TARGET gcompile_${layer})
    list(APPEND objects $<TARGET_OBJECTS:gcompile_${layer}>)
  endif()
endforeach()
if(NOT objects)
  message(STATUS "gcompile: no library yet: no layer has sources")
  return()
endif()

set(exports ${PROJECT_BINARY_DIR}/exports.map)
set(object_list ${PROJECT_BINARY_DIR}/objects.txt)
file(GENERATE OUTPUT ${object_list} CONTENT "$<JOIN:${objects},\n>\n")
add_custom_command(
  OUTPUT ${exports}
  COMMAND ${PROJECT_SOURCE_DIR}/cmake/exports.sh ${CMAKE_NM} ${object_list} ${exports}
  DEPENDS ${objects} ${object_list} ${PROJECT_SOURCE_DIR}/cmake/exports.sh
  COMMENT "Listing the exported symbols" VERBATIM)
add_custom_target(gcompile_exports DEPENDS ${exports})

add_library(gcompile SHARED ${objects})
add_library(gcompile::gcompile ALIAS gcompile)
add_dependencies(gcompile gcompile_exports)
set_target_properties(gcompile PROPERTIES
  LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LINK_DEPENDS ${exports})
target_compile_features(gcompile PUBLIC cxx_std_20)
target_include_directories(gcompile PUBLIC
  $<BUILD_INTERFACE:${GCOMPILE_INCLUDE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(gcompile PUBLIC Eigen3::Eigen
                      PRIVATE Threads::Threads ZLIB::ZLIB $<LINK_ONLY:${CMAKE_DL_LIBS}>)
if(TARGET gcompile_codegen)
  target_link_libraries(gcompile PRIVATE ${GCOMPILE_LLVM_LIBRARIES})
endif()
target_link_options(gcompile PRIVATE
  -Wl,--exclude-libs,ALL -Wl,--gc-sections -Wl,--version-script=${exports}
  -Wl,--build-id  # from the contents: the compile cache keeps builds apart by it
  $<$<NOT:$<BOOL:${GCOMPILE_SANITIZE}>>:-Wl,-z,defs>)
