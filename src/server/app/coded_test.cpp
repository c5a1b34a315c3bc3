// The content coding of answers: the same bytes when it is undone, small pieces first, none where there is nothing to gain.
#include "coding/zstd.hpp"
#include "server/app/test_world.hpp"
#include "wire/frame.hpp"

namespace skerry::server::test {
namespace {

struct Coded : testing::Test {
    World world;
    Peer anna{world, "anna"};

    struct Read {
        std::string encoding;
        Bytes coded;
        Bytes plain;
        std::vector<std::size_t> frames;  // plain bytes of each piece
    };
    // A pull of everything, by a client that takes `accept`.
    Read pull(const std::string& accept, bool live = false) {
        wire::Pull request{.device = anna.id, .model_hash = anna.model.hash(), .keep_from = TxnNo{1}, .live = live};
        Bytes body;
        wire::put_header(body, wire::Kind::kPullRequest);
        wire::put(body, request);
        wire::put_empty(body, wire::FrameType::kEnd);
        http::Response response = world.handler().handle({"POST", std::string(wire::kPathPull), anna.bearer, std::string(wire::kContentType), body, accept});
        EXPECT_EQ(response.status, 200);
        Read read;
        coding::Unpacker unpacker;
        for (auto step = http::Step::kMore; step == http::Step::kMore;) {
            Bytes piece;
            step = response.body->next(piece);
            read.encoding = response.body->content_encoding();
            read.coded += piece;
            if (read.encoding.empty()) {
                read.plain += piece;
                continue;
            }
            const std::size_t before = read.plain.size();
            BytesView rest = piece;
            EXPECT_TRUE(unpacker.feed(rest, read.plain, SIZE_MAX));
            EXPECT_TRUE(unpacker.at_boundary()) << "a piece is whole frames: what it holds can be used at once";
            read.frames.push_back(read.plain.size() - before);
        }
        return read;
    }
};

TEST_F(Coded, a_download_is_the_same_bytes_in_pieces_that_grow) {
    world.sql("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
              "INSERT INTO place(id, name, people) SELECT printf('k%06d', i), 'a place of some name', i % 50 FROM n");
    const Read plain = pull("");
    const Read coded = pull("gzip, zstd");
    EXPECT_EQ(plain.encoding, "");
    EXPECT_EQ(coded.encoding, "zstd");
    EXPECT_TRUE(wire::read_body(coded.plain, wire::Kind::kPullResponse)) << "whole, with every checksum";
    EXPECT_NEAR(static_cast<double>(plain.plain.size()), static_cast<double>(coded.plain.size()), 100) << "tokens are sealed anew";
    EXPECT_LT(coded.coded.size() * 3, coded.plain.size());
    ASSERT_GT(coded.frames.size(), 1u);
    EXPECT_LE(coded.frames.front(), 80u << 10) << "a line that breaks soon gets on too";
}

TEST_F(Coded, nothing_changed_stays_as_it_is_and_an_open_answer_is_coded) {
    EXPECT_EQ(pull("zstd").encoding, "") << "a first download of two empty tables";
    EXPECT_EQ(pull("zstd;q=0", true).encoding, "");
    EXPECT_EQ(pull("zstd", true).encoding, "zstd") << "it may go on for days";
}

}  // namespace
}  // namespace skerry::server::test
