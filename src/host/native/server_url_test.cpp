#include "host/native/server_url.hpp"

#include <gtest/gtest.h>

namespace skerry::host {
namespace {

TEST(ServerUrl, ReadsWhatPeopleWrite) {
    struct Case {
        const char *text, *host;
        int port;
        const char *prefix, *authority;
    };
    for (const auto& c : {Case{"http://example.org", "example.org", 80, "", "example.org"},
                          Case{"http://example.org/", "example.org", 80, "", "example.org"},
                          Case{"HTTP://localhost:8080", "localhost", 8080, "", "localhost:8080"},
                          Case{"http://10.0.0.1:1/a/b/", "10.0.0.1", 1, "/a/b", "10.0.0.1:1"},
                          Case{"http://[::1]:65535/x", "::1", 65535, "/x", "[::1]:65535"},
                          Case{"http://[fe80::1]", "fe80::1", 80, "", "[fe80::1]"},
                          Case{"http://h:80", "h", 80, "", "h"}}) {
        const auto url = parse_server_url(c.text);
        ASSERT_TRUE(url) << c.text << ": " << url.error().message;
        EXPECT_EQ(url->host, c.host);
        EXPECT_EQ(url->port, c.port);
        EXPECT_EQ(url->prefix, c.prefix);
        EXPECT_EQ(url->authority, c.authority);
    }
}

TEST(ServerUrl, RefusesHttpsByName) {
    for (const auto* text : {"https://example.org", "HTTPS://h:1/x"}) {
        const auto url = parse_server_url(text);
        ASSERT_FALSE(url);
        EXPECT_EQ(url.error().code, Code::kNotSupported);
        EXPECT_NE(url.error().message.find("https is not supported yet: put"), std::string::npos);
    }
}

TEST(ServerUrl, RefusesTheRestWithoutRepeatingSecrets) {
    for (const std::string text : {"",
                                   "example.org",
                                   "ftp://h",
                                   "http:/h",
                                   "http://",
                                   "http://:80",
                                   "http://h:",
                                   "http://h:0",
                                   "http://h:65536",
                                   "http://h:8o",
                                   "http://h:-1",
                                   "http://h:1:2",
                                   "http://[::1",
                                   "http://[]",
                                   "http://[::1]x",
                                   "http://[g::1]",
                                   "http://a b",
                                   "http://h\r\nX: y",
                                   "http://h/\r\nX:",
                                   "http://h/a b",
                                   "http://user:s3cret@h",
                                   "https://user:s3cret@h",
                                   "http://h?token=s3cret",
                                   "http://h/#s3cret"}) {
        const auto url = parse_server_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Code::kInvalidArgument) << text;
        EXPECT_EQ(url.error().message.find("s3cret"), std::string::npos);
    }
    EXPECT_FALSE(parse_server_url("http://" + std::string(3000, 'a')));
}

}  // namespace
}  // namespace skerry::host
