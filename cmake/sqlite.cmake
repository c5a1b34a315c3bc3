# SQLite3 Multiple Ciphers on SQLite 3.53.2, one source for every platform, from a pinned npm package.
# Options and their reasons: docs/dependencies.md.
set(SKERRY_SQLITE_DIR ${PROJECT_SOURCE_DIR}/node_modules/better-sqlite3-multiple-ciphers/deps/sqlite3)
if(NOT EXISTS ${SKERRY_SQLITE_DIR}/sqlite3.c)
    message(FATAL_ERROR "SQLite's source is missing. Run: npm ci --ignore-scripts")
endif()
add_library(skerry_sqlite3 STATIC ${SKERRY_SQLITE_DIR}/sqlite3.c)
target_include_directories(skerry_sqlite3 SYSTEM PUBLIC ${SKERRY_SQLITE_DIR})
target_compile_options(skerry_sqlite3 PRIVATE -w)
if(NOT SKERRY_SANITIZE AND NOT SKERRY_WASM)
    target_compile_options(skerry_sqlite3 PRIVATE -O2)
elseif(SKERRY_SANITIZE)
    target_compile_options(skerry_sqlite3 PRIVATE -O1)
endif()
if(SKERRY_FUZZ)
    # Its own project fuzzes it. Here it is the floor that ours stands on: watched for its memory, not for its branches.
    target_compile_options(skerry_sqlite3 PRIVATE -O2 -fno-sanitize=undefined -fno-sanitize=fuzzer-no-link)
endif()
target_compile_definitions(skerry_sqlite3 PRIVATE
    SQLITE_DQS=0
    SQLITE_DEFAULT_MEMSTATUS=0
    SQLITE_LIKE_DOESNT_MATCH_BLOBS
    SQLITE_OMIT_DEPRECATED
    SQLITE_OMIT_SHARED_CACHE
    SQLITE_ENABLE_COLUMN_METADATA
    SQLITE_ENABLE_FTS5
    SQLITE_ENABLE_RTREE
    SQLITE_ENABLE_STAT4)
if(SKERRY_WASM)
    target_compile_definitions(skerry_sqlite3 PRIVATE
        SQLITE_OS_OTHER=1 SQLITE_THREADSAFE=0 SQLITE_TEMP_STORE=2 SQLITE_OMIT_LOAD_EXTENSION
        SQLITE_OMIT_LOCALTIME __WASM__ ARGON2_NO_THREADS=1 SQLITE3MC_USE_MINIZ=0
        HAVE_CIPHER_AES_128_CBC=0 HAVE_CIPHER_AES_256_CBC=0 HAVE_CIPHER_SQLCIPHER=0 HAVE_CIPHER_RC4=0
        HAVE_CIPHER_ASCON128=0 HAVE_CIPHER_AEGIS=0 CODEC_TYPE=CODEC_TYPE_CHACHA20)
else()
    # A device's file holds its token, a server's everything: they are made for their owner only.
    target_compile_definitions(skerry_sqlite3 PRIVATE SQLITE_THREADSAFE=2 SQLITE_DEFAULT_FILE_PERMISSIONS=0600)
    target_link_libraries(skerry_sqlite3 PUBLIC pthread dl m)
endif()
