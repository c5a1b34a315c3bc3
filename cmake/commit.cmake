# Writes OUT, a C++ source that says which commit is built, if that has changed: cmake -DDIR=… -DOUT=… -P commit.cmake
execute_process(COMMAND git -C "${DIR}" describe --always --dirty --abbrev=12 --match=
    OUTPUT_VARIABLE COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE FAILED)
if(FAILED OR COMMIT STREQUAL "")
    set(COMMIT unknown)
endif()
set(TEXT "namespace skerry::kit {\nextern const char* const kCommit;\nconst char* const kCommit = \"${COMMIT}\";\n}\n")
if(EXISTS "${OUT}")
    file(READ "${OUT}" BEFORE)
endif()
if(NOT "${BEFORE}" STREQUAL "${TEXT}")
    file(WRITE "${OUT}" "${TEXT}")
endif()
