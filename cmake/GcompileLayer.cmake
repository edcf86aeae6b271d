# gcompile_layer(NAME): makes the object library gcompile_NAME from all .cpp files at or below the current folder.
# A folder without sources makes no target.
function(gcompile_layer name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  if(NOT sources)
    message(STATUS "gcompile: no sources in ${name}/ yet")
    return()
  endif()
  add_library(gcompile_${name} OBJECT ${sources} ${headers})
  target_link_libraries(gcompile_${name} PRIVATE gcompile_flags Eigen3::Eigen)
  # What nearly every file includes; half of the time to compile one is reading headers.
  target_precompile_headers(gcompile_${name} PRIVATE
    <Eigen/Core> <algorithm> <functional> <map> <memory> <set> <string> <unordered_map> <vector>)
endfunction()

# gcompile_executable(TARGET SOURCE...): an executable of ours that uses the library; adds nothing while there is no
# library or no source. RESULT is set to whether it was made.
function(gcompile_executable target result)
  set(${result} FALSE PARENT_SCOPE)
  if(NOT ARGN OR NOT TARGET gcompile)
    return()
  endif()
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE gcompile::gcompile gcompile_flags)
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  set(${result} TRUE PARENT_SCOPE)
endfunction()
