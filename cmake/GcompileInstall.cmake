# Install rules: headers (all but those that include LLVM), library, tool, and the CMake package gcompile.
if(NOT TARGET gcompile)
  return()
endif()
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/gcompile)

foreach(layer IN LISTS GCOMPILE_LAYERS)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${layer}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gcompile/${layer}
          FILES_MATCHING PATTERN "*.h" PATTERN "llvm_*.h" EXCLUDE PATTERN "gcompile.h" EXCLUDE)
endforeach()
install(FILES frontend/gcompile.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gcompile OPTIONAL)
install(FILES ${GCOMPILE_INCLUDE_DIR}/gcompile/version.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gcompile)

install(TARGETS gcompile EXPORT gcompileTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(TARGET gcompile-tool)
  install(TARGETS gcompile-tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(EXPORT gcompileTargets NAMESPACE gcompile:: DESTINATION ${package_dir})

configure_package_config_file(cmake/gcompileConfig.cmake.in ${PROJECT_BINARY_DIR}/gcompileConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gcompileConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gcompileConfig.cmake ${PROJECT_BINARY_DIR}/gcompileConfigVersion.cmake
        DESTINATION ${package_dir})
