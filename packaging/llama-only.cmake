# Read by CMake at llama.cpp's own project() call (CMAKE_PROJECT_<NAME>_INCLUDE), because llama-cpp-python switches this on
# by force: the helpers of llama.cpp's own programs, which nothing here uses, and which are nearly half of the compiling.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)
