# Read by ctest before it runs tests: what they compile is compiled, not loaded from the user's cache. A test of the cache
# names a folder of its own; GCOMPILE_CACHE=DIR ctest ... runs all tests on a cache.
if(NOT DEFINED ENV{GCOMPILE_CACHE})
  set(ENV{GCOMPILE_CACHE} off)
endif()
