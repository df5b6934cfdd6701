# Read by CMake at llama.cpp's own project() call (CMAKE_PROJECT_<NAME>_INCLUDE).

# llama-cpp-python switches this on by force: the helpers of llama.cpp's own programs, which nothing here uses, and which
# are nearly half of the compiling.
set(LLAMA_BUILD_COMMON OFF CACHE BOOL "" FORCE)

# With AVX512-FP16 its loops over 16-bit numbers take 128 at once and leave what is over to one of a table look-up each
# (ggml-cpu/simd-mappings.h, GGML_F16_STEP; vec.h, ggml_vec_mad_f16): all of it, where a head is 64 numbers wide, as in
# most small models. Flash attention then decoded half as fast as without these instructions (docs/benchmarks.md).
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    include(CheckCXXCompilerFlag)
    check_cxx_compiler_flag(-mno-avx512fp16 CAN_DO_WITHOUT_AVX512FP16)
    if(CAN_DO_WITHOUT_AVX512FP16)
        add_compile_options(-mno-avx512fp16)
    endif()
endif()
