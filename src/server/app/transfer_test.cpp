// Large things between a device and the server: parts of uploads, kept answers, readers that do not read.
#include "base/hash.hpp"
#include "server/app/files.hpp"
#include "server/app/scopes_world.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::test {
namespace {

struct PartAnswer {
    int status = 0;
    std::optional<wire::Have> have;
    std::vector<Outcome> verdicts;
    std::optional<TxnNo> expect;
    std::optional<TxnNo> identity_taken;
    std::optional<Code> error;
};

struct Transfer : testing::Test {
    World world;
    Peer anna{world, "anna"};

    static Bytes form_of(const Transaction& txn) {
        Bytes form;
        Writer out(form);
        wire::put_transaction(out, txn);
        return form;
    }
    static wire::Part part_of(const Transaction& txn, std::uint64_t from, std::size_t n) {
        const Bytes form = form_of(txn);
        return {txn.no, wire::first_eight(txn.id), hash64(form), form.size(), from, form.substr(from, n)};
    }
    static PartAnswer send(Peer& peer, const wire::Part& part) {
        Bytes body;
        wire::put_header(body, wire::Kind::kPushRequest);
        wire::put(body, wire::PushHello{peer.id, peer.model.hash(), peer.keep_from});
        wire::put(body, part);
        wire::put_empty(body, wire::FrameType::kEnd);
        http::Response response = peer.world.post(wire::kPathPush, std::move(body), peer.bearer);
        PartAnswer answer;
        answer.status = response.status;
        const Bytes bytes = read_all(*response.body);
        const auto frames = wire::read_body(bytes, wire::Kind::kPushResponse);
        EXPECT_TRUE(frames);
        for (const wire::Frame& frame : *frames) {
            if (frame.type == wire::FrameType::kHave) answer.have = *wire::get_have(frame.payload);
            if (frame.type == wire::FrameType::kVerdict) answer.verdicts.push_back(*wire::get_verdict(frame.payload));
            if (frame.type == wire::FrameType::kExpect) answer.expect = TxnNo{*wire::get_number(frame.payload)};
            if (frame.type == wire::FrameType::kIdentityTaken) answer.identity_taken = TxnNo{*wire::get_number(frame.payload)};
            if (frame.type == wire::FrameType::kError) answer.error = wire::get_failure(frame.payload)->code;
        }
        return answer;
    }
    Transaction large() {
        return anna.txn({Peer::insert(kPlace, "oslo", {text(std::string(1000, 'o')), number(5)}),
                         Peer::insert(kPlace, "rome", {text(std::string(1000, 'r')), number(6)})});
    }
    static sqlite::Database transit(World& world) {
        auto db = sqlite::Database::open(transit_path(world.place));
        EXPECT_TRUE(db);
        return std::move(*db);
    }
};

TEST_F(Transfer, case_A15_parts_that_come_twice_late_or_in_another_order_take_effect_once) {
    const Transaction txn = large();
    const wire::Part first = part_of(txn, 0, 900);
    const wire::Part second = part_of(txn, 900, 900);
    const wire::Part third = part_of(txn, 1800, 10'000);
    EXPECT_EQ(send(anna, third).have->bytes, 0u) << "nothing is taken before its turn";
    EXPECT_EQ(send(anna, first).have->bytes, 900u);
    EXPECT_EQ(send(anna, first).have->bytes, 900u);
    EXPECT_EQ(send(anna, second).have->bytes, 1800u);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 0);
    const PartAnswer done = send(anna, third);
    ASSERT_EQ(done.verdicts.size(), 1u);
    EXPECT_EQ(done.verdicts[0].verdict, Verdict::kApplied);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 2);
    for (const wire::Part& again : {first, third}) {
        const PartAnswer repeated = send(anna, again);
        ASSERT_EQ(repeated.verdicts.size(), 1u) << "known: a part is enough to be told the verdict";
        EXPECT_EQ(repeated.verdicts[0].verdict, Verdict::kApplied);
    }
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_log"), 1);
    auto db = transit(world);
    EXPECT_EQ(*db.integer("SELECT count(*) FROM part"), 0);
}

TEST_F(Transfer, case_A15_parts_are_checked_for_gaps_and_for_identity) {
    const Transaction one = large();
    const Transaction two = anna.txn({Peer::insert(kPlace, "bern", {text("Bern"), number(1)})});
    EXPECT_EQ(send(anna, part_of(two, 0, 10)).expect, one.no) << "a number is missing";
    ASSERT_EQ(send(anna, part_of(one, 0, 100'000)).verdicts.size(), 1u) << "a part may be the whole";
    wire::Part other = part_of(one, 0, 10);
    other.id8 += 1;
    EXPECT_EQ(send(anna, other).identity_taken, one.no);
    wire::Part lie = part_of(two, 0, 100'000);
    lie.id8 += 1;
    EXPECT_EQ(send(anna, lie).error, Code::kDamagedFrame) << "the whole says what it is";
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_log"), 1);
    EXPECT_EQ(send(anna, part_of(two, 0, 100'000)).verdicts.size(), 1u);
}

TEST_F(Transfer, parts_of_others_and_of_strangers_are_refused) {
    const Transaction txn = large();
    Peer bert{world, "bert"};
    std::swap(bert.id, anna.id);
    EXPECT_EQ(send(anna, part_of(txn, 0, 100)).error, Code::kDeviceOfOtherUser);
    bert.id = DeviceId::from("0123456789abcdef");
    EXPECT_EQ(send(bert, part_of(txn, 0, 100)).error, Code::kNotEnrolled);
}

TEST_F(Transfer, a_large_transaction_that_is_refused_is_a_draft_like_any_other) {
    Transaction txn = large();
    txn.ops[0].row[0] = Value{std::string("a\0b", 3)};
    const PartAnswer done = send(anna, part_of(txn, 0, 100'000));
    ASSERT_EQ(done.verdicts.size(), 1u);
    EXPECT_EQ(done.verdicts[0].verdict, Verdict::kRejected);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_draft"), 1);
}

// ---- kept answers ----

struct Kept : testing::Test {
    AreasWorld world;
    std::optional<Peer> anna;

    // Anna is behind by more than is sent without being kept.
    Kept() {
        world.allow("anna", "north");
        world.allow("anna", "south");
        for (const std::string area : {"north", "south"})
            world.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400) INSERT INTO household(id, name, area, status) "
                      "SELECT substr('" + area + "', 1, 1) || i, 'h', '" + area + "', 'open' FROM n");
        anna.emplace(world, "anna", std::map<std::string, std::string>{{"profile", "field"}});
        anna->pull();
        world.sql("UPDATE household SET name = hex(zeroblob(200)) || name");
    }
    // What a reader has read when its line breaks.
    struct Torn {
        wire::Spooled at;
        std::vector<wire::FrameType> frames;
    };
    Bytes request(std::optional<wire::Spooled> resume) {
        Bytes body;
        wire::put_header(body, wire::Kind::kPullRequest);
        wire::put(body, wire::Pull{.device = anna->id, .model_hash = anna->model.hash(), .keep_from = anna->keep_from, .token = anna->cursor, .resume = std::move(resume)});
        wire::put_empty(body, wire::FrameType::kEnd);
        return body;
    }
    Torn read_some(std::optional<wire::Spooled> resume, std::size_t bytes_max) {
        http::Response response = world.post(wire::kPathPull, request(std::move(resume)), anna->bearer);
        EXPECT_EQ(response.status, 200);
        Bytes bytes;
        while (bytes.size() < bytes_max && response.body->next(bytes) == http::Step::kMore) {
        }
        bytes.resize(std::min(bytes.size(), bytes_max));
        wire::FrameReader reader(wire::Kind::kPullResponse);
        reader.feed(bytes);
        Torn torn;
        for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
            torn.frames.push_back((*frame)->type);
            if ((*frame)->type == wire::FrameType::kSpool) torn.at = *wire::get_spooled((*frame)->payload);
            else torn.at.offset += wire::kFrameOverhead + (*frame)->payload.size();
        }
        return torn;
    }
};

TEST_F(Kept, pitfall_31_the_rest_of_a_kept_answer_begins_where_the_reader_is) {
    const Torn torn = read_some(std::nullopt, 100'000);
    ASSERT_EQ(torn.frames.at(0), wire::FrameType::kSpool);
    ASSERT_EQ(torn.frames.at(1), wire::FrameType::kBegin);
    ASSERT_GT(torn.at.offset, 50'000u);
    const Torn rest = read_some(torn.at, 10'000'000);
    EXPECT_EQ(rest.frames.at(0), wire::FrameType::kSpool);
    EXPECT_EQ(rest.frames.at(1), wire::FrameType::kRows) << "no second begin";
    EXPECT_EQ(rest.frames.at(rest.frames.size() - 2), wire::FrameType::kCheckpoint);
    EXPECT_EQ(rest.frames.back(), wire::FrameType::kEnd);
    EXPECT_EQ(rest.at.id, torn.at.id);
}

TEST_F(Kept, pitfall_31_whoever_lost_a_right_meanwhile_gets_nothing_of_what_was_kept) {
    const Torn torn = read_some(std::nullopt, 100'000);
    world.forbid("anna", "south");
    const Torn anew = read_some(torn.at, 10'000'000);
    EXPECT_NE(anew.at.id, torn.at.id);
    EXPECT_EQ(std::count(anew.frames.begin(), anew.frames.end(), wire::FrameType::kBegin), 1);
    EXPECT_GT(std::count(anew.frames.begin(), anew.frames.end(), wire::FrameType::kLostScope), 0);
}

TEST_F(Kept, a_right_that_is_lost_while_a_slow_reader_reads_ends_the_answer) {
    http::Response response = world.post(wire::kPathPull, request(std::nullopt), anna->bearer);
    Bytes bytes;
    ASSERT_EQ(response.body->next(bytes), http::Step::kMore);
    world.forbid("anna", "south");
    world.clock.now += std::chrono::seconds(31);
    bytes += read_all(*response.body);
    const auto frames = wire::read_body(bytes, wire::Kind::kPullResponse);
    ASSERT_FALSE(frames);
    EXPECT_EQ(frames.error().code, Code::kTruncated);
    EXPECT_LT(bytes.size(), 150'000u) << "what had been handed out before";
    const auto anew = read_some(std::nullopt, 10'000'000);
    EXPECT_GT(std::count(anew.frames.begin(), anew.frames.end(), wire::FrameType::kLostScope), 0);
}

TEST_F(Kept, an_answer_is_kept_for_its_device_only) {
    const Torn torn = read_some(std::nullopt, 100'000);
    Peer bert(world, "anna", {{"profile", "field"}});  // another device of the same user
    bert.pull();
    std::swap(bert.id, anna->id);
    std::swap(bert.bearer, anna->bearer);
    EXPECT_NE(read_some(torn.at, 100'000).at.id, torn.at.id);
}

TEST_F(Kept, an_offset_or_an_id_that_was_made_up_begins_anew) {
    const Torn torn = read_some(std::nullopt, 100'000);
    EXPECT_EQ(read_some(wire::Spooled{torn.at.id, UINT64_MAX}, 1'000'000).frames.at(1), wire::FrameType::kBegin);
    EXPECT_EQ(read_some(wire::Spooled{Bytes(16, 'x'), 10}, 1'000'000).frames.at(1), wire::FrameType::kBegin);
}

TEST_F(Kept, a_reader_that_does_not_read_holds_no_snapshot) {
    http::Response response = world.post(wire::kPathPull, request(std::nullopt), anna->bearer);
    Bytes bytes;
    ASSERT_EQ(response.body->next(bytes), http::Step::kMore);
    for (int i = 0; i < 20; ++i) world.handler().tick();
    auto db = sqlite::Database::open(transit_path(world.place));
    ASSERT_TRUE(db);
    EXPECT_EQ(*db->integer("SELECT whole FROM spool"), 1) << "all of it waits in the file";
    // With a snapshot open the log could not be emptied.
    world.sql("UPDATE household SET status = 'x' WHERE id = 'n1'");
    ASSERT_TRUE(world.server->tidy());
    EXPECT_EQ(std::filesystem::file_size(database_path(world.place) + "-wal"), 0u);
}

TEST_F(Kept, small_answers_are_not_kept) {
    anna->pull();
    world.sql("UPDATE household SET status = 'x' WHERE id = 'n1'");
    EXPECT_EQ(read_some(std::nullopt, 1'000'000).frames.at(0), wire::FrameType::kBegin);
}

}  // namespace
}  // namespace skerry::server::test
