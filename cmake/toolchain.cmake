# What the toolchain needs beyond its flags.
if(SKERRY_WASM)
    # Two header-only libraries of the host are shared with WebAssembly; a folder of links keeps the rest
    # of /usr/include out.
    set(SKERRY_WASM_HEADERS ${CMAKE_BINARY_DIR}/headers)
    file(MAKE_DIRECTORY ${SKERRY_WASM_HEADERS})
    file(CREATE_LINK /usr/include/tl ${SKERRY_WASM_HEADERS}/tl SYMBOLIC)
    file(CREATE_LINK /usr/include/xxhash.h ${SKERRY_WASM_HEADERS}/xxhash.h SYMBOLIC)
    # Debian's compiler runtime for wasm32 was built with the stack protector and nothing defines its symbols.
    file(WRITE ${CMAKE_BINARY_DIR}/stack_guard.c.in
        "#include <stdint.h>\nuintptr_t __stack_chk_guard = 0x595e9fbd;\n_Noreturn void __stack_chk_fail(void) { __builtin_trap(); }\n")
    configure_file(${CMAKE_BINARY_DIR}/stack_guard.c.in ${CMAKE_BINARY_DIR}/stack_guard.c COPYONLY)
    add_library(skerry_wasm_runtime STATIC ${CMAKE_BINARY_DIR}/stack_guard.c)
    link_libraries(skerry_wasm_runtime)
else()
    find_package(Threads REQUIRED)
endif()
