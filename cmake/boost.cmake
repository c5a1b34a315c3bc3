# Boost.Asio and Boost.Beast (libboost1.81-dev, headers only), compiled once into skerry_boost: their bodies
# live in boost_impl.cpp, every other translation unit sees declarations. Two rooms link it: server/listener
# and host/native. Nothing else may include boost/asio or boost/beast.
if(NOT SKERRY_WASM)
    find_path(SKERRY_BOOST_INCLUDE boost/beast/version.hpp REQUIRED)
    add_library(skerry_boost STATIC ${PROJECT_SOURCE_DIR}/cmake/boost_impl.cpp)
    target_include_directories(skerry_boost SYSTEM PUBLIC ${SKERRY_BOOST_INCLUDE})
    target_compile_features(skerry_boost PUBLIC cxx_std_20)
    target_compile_definitions(skerry_boost PUBLIC
        BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
        BOOST_ASIO_NO_DEPRECATED BOOST_ALL_NO_LIB)
    target_compile_options(skerry_boost PRIVATE -w)
    target_link_libraries(skerry_boost PUBLIC Threads::Threads)
endif()
