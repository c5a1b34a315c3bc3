# Debian's clang-19 and wasi-libc, no Emscripten. Reasons and sizes: docs/dependencies.md.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
set(CMAKE_AR /usr/bin/llvm-ar-19 CACHE FILEPATH "")
set(CMAKE_RANLIB /usr/bin/llvm-ranlib-19 CACHE FILEPATH "")
# -nostdlibinc: without it a header that is missing is silently taken from the host's /usr/include.
set(SKERRY_WASM_FLAGS "-mbulk-memory -msign-ext -mnontrapping-fptoint -D_WASI_EMULATED_SIGNAL")
set(CMAKE_C_FLAGS_INIT "-nostdlibinc -isystem /usr/include/wasm32-wasi ${SKERRY_WASM_FLAGS}")
set(CMAKE_CXX_FLAGS_INIT "-nostdlibinc -isystem /usr/lib/llvm-19/include/wasm32-wasi/c++/v1 -isystem /usr/include/wasm32-wasi ${SKERRY_WASM_FLAGS} -fno-exceptions -fno-rtti")
# Linked without -O: with it clang runs whatever wasm-opt is in the PATH.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--strip-debug -Wl,-z,stack-size=1048576")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
