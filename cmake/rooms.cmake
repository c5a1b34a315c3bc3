# One CMake target per room. skerry_room(base SOURCES ... DEPS ... TESTS ...) makes the static library
# skerry_base, and skerry_base_test from the unit tests that lie beside the sources. PLANTED also makes
# skerry_base_planted, the same sources with the bugs of src/base/planted.hpp compiled in, for the tests
# that show that the simulator catches them.

set(SKERRY_PCH_HEADERS
    <algorithm> <array> <cstdint> <functional> <map> <memory> <optional> <set> <span> <string>
    <string_view> <utility> <variant> <vector> <tl/expected.hpp>)

add_library(skerry_flags INTERFACE)
target_include_directories(skerry_flags INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_compile_features(skerry_flags INTERFACE cxx_std_20)
target_compile_options(skerry_flags INTERFACE
    -Wall -Wextra -Wpedantic -Werror
    -Wno-missing-field-initializers  # designated initialisers name what differs from the defaults
    $<$<COMPILE_LANGUAGE:CXX>:-Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms of g++ 12 with variants and inlined strings (PR 105562, 105651); clang checks the same code.
    target_compile_options(skerry_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized -Wno-restrict>)
endif()
if(SKERRY_WASM)
    target_include_directories(skerry_flags SYSTEM INTERFACE ${SKERRY_WASM_HEADERS})
endif()

add_library(skerry_pch STATIC ${PROJECT_SOURCE_DIR}/cmake/pch.cpp)
target_link_libraries(skerry_pch PUBLIC skerry_flags)
target_precompile_headers(skerry_pch PRIVATE ${SKERRY_PCH_HEADERS})
if(NOT SKERRY_WASM AND NOT SKERRY_SANITIZE)
    add_library(skerry_pch_planted STATIC ${PROJECT_SOURCE_DIR}/cmake/pch.cpp)
    target_link_libraries(skerry_pch_planted PUBLIC skerry_flags)
    target_compile_definitions(skerry_pch_planted PUBLIC SKERRY_PLANTED=1)
    target_precompile_headers(skerry_pch_planted PRIVATE ${SKERRY_PCH_HEADERS})
endif()

function(skerry_room NAME)
    cmake_parse_arguments(ARG "PLANTED" "" "SOURCES;DEPS;LIBS;TESTS;TEST_DEPS" ${ARGN})
    set(flavours "")
    list(APPEND flavours "plain")
    if(ARG_PLANTED AND NOT SKERRY_WASM AND NOT SKERRY_SANITIZE)
        list(APPEND flavours "planted")
    endif()
    foreach(flavour ${flavours})
        set(target skerry_${NAME})
        if(flavour STREQUAL "planted")
            set(target skerry_${NAME}_planted)
        endif()
        add_library(${target} STATIC ${ARG_SOURCES})
        target_link_libraries(${target} PUBLIC skerry_flags ${ARG_LIBS})
        foreach(dep ${ARG_DEPS})
            if(flavour STREQUAL "planted" AND TARGET skerry_${dep}_planted)
                target_link_libraries(${target} PUBLIC skerry_${dep}_planted)
            else()
                target_link_libraries(${target} PUBLIC skerry_${dep})
            endif()
        endforeach()
        if(flavour STREQUAL "planted")
            target_compile_definitions(${target} PUBLIC SKERRY_PLANTED=1)
            target_precompile_headers(${target} REUSE_FROM skerry_pch_planted)
        else()
            target_precompile_headers(${target} REUSE_FROM skerry_pch)
        endif()
    endforeach()
    if(ARG_TESTS)
        skerry_test(skerry_${NAME}_test SOURCES ${ARG_TESTS} DEPS ${NAME} ${ARG_TEST_DEPS})
    endif()
endfunction()

# skerry_test(target SOURCES ... DEPS rooms... LIBS ...): a GoogleTest program, found test by test.
function(skerry_test TARGET)
    cmake_parse_arguments(ARG "NO_DISCOVER" "" "SOURCES;DEPS;LIBS;PROPERTIES" ${ARGN})
    add_executable(${TARGET} ${ARG_SOURCES})
    foreach(dep ${ARG_DEPS})
        target_link_libraries(${TARGET} PRIVATE skerry_${dep})
    endforeach()
    target_link_libraries(${TARGET} PRIVATE ${ARG_LIBS} skerry_gtest_main)
    target_precompile_headers(${TARGET} REUSE_FROM skerry_pch)
    if(SKERRY_WASM)
        target_link_libraries(${TARGET} PRIVATE skerry_wasm_vfs)
        set_target_properties(${TARGET} PROPERTIES SUFFIX .wasm)  # CMake's Generic platform knows no suffix
    endif()
    if(ARG_NO_DISCOVER)
        return()
    endif()
    if(SKERRY_WASM)
        add_test(NAME ${TARGET} COMMAND node ${PROJECT_SOURCE_DIR}/tools/run-wasm.mjs $<TARGET_FILE:${TARGET}>)
    else()
        gtest_discover_tests(${TARGET} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600 ${ARG_PROPERTIES})
    endif()
endfunction()
