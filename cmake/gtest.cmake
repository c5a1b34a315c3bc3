# GoogleTest: Debian's library natively, its installed sources compiled for WebAssembly.
include(GoogleTest)
if(SKERRY_WASM)
    set(GTEST_SRC /usr/src/googletest/googletest)
    add_library(skerry_gtest STATIC ${GTEST_SRC}/src/gtest-all.cc)
    target_include_directories(skerry_gtest SYSTEM PUBLIC ${GTEST_SRC}/include PRIVATE ${GTEST_SRC})
    target_compile_options(skerry_gtest PRIVATE -w)
    target_compile_definitions(skerry_gtest PUBLIC
        GTEST_HAS_PTHREAD=0 GTEST_HAS_EXCEPTIONS=0 GTEST_HAS_RTTI=0 GTEST_HAS_DEATH_TEST=0
        GTEST_HAS_STREAM_REDIRECTION=0 GTEST_HAS_CLONE=0)
else()
    find_package(GTest REQUIRED)
    add_library(skerry_gtest INTERFACE)
    target_link_libraries(skerry_gtest INTERFACE GTest::gtest GTest::gmock)
endif()
if(SKERRY_WASM)
    # SQLite without an operating system: the tests' files live in the memory of the simulated disk.
    set(DISK ${PROJECT_SOURCE_DIR}/tests/kit/disk)
    add_library(skerry_wasm_vfs STATIC ${DISK}/crash_disk.cpp ${DISK}/crash_disk_vfs.cpp ${DISK}/wasm_default_vfs.cpp)
    target_link_libraries(skerry_wasm_vfs PUBLIC skerry_sqlite3)
    target_compile_options(skerry_wasm_vfs PRIVATE -Wall -Wextra)
endif()
add_library(skerry_gtest_main STATIC ${PROJECT_SOURCE_DIR}/cmake/gtest_main.cpp)
target_link_libraries(skerry_gtest_main PUBLIC skerry_gtest)
