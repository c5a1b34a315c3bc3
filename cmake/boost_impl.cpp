// The bodies of Asio's and Beast's functions, once for the whole program (cmake/boost.cmake).
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
