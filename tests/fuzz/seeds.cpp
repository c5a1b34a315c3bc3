// Writes inputs to begin with:  skerry_fuzz_seeds FOLDER. Frames, conversations and files are those of two devices and a server that
// sync (world.hpp); what reads text gets a few examples of each form, or its example files from tests/fuzz/run's caller.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "coding/zstd.hpp"
#include "store/outbox.hpp"
#include "store/store.hpp"
#include "wire/columns.hpp"
#include "wire/messages.hpp"
#include "world.hpp"

namespace {

using namespace skerry;

std::string folder;

void seed(const std::string& name, BytesView bytes, const std::string& called = "") {
    const std::string place = folder + "/" + name + "/";
    std::filesystem::create_directories(place);
    const std::string file = called.empty() ? hex(view_of(hash128(bytes))).substr(0, 12) : called;
    std::ofstream(place + file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

Bytes byte(unsigned value) { return Bytes(1, static_cast<char>(value)); }
// As Choices::piece reads it.
Bytes piece(BytesView bytes) { return byte(static_cast<unsigned>(bytes.size() >> 8)) + byte(static_cast<unsigned>(bytes.size() & 255)) + Bytes(bytes); }

struct Told {
    std::string path;
    Bytes asked;
    Bytes answered;
};

// Everything that a device of this file and a server say to each other in one sync.
std::vector<Told> conversation(BytesView device_file) {
    std::vector<Told> all;
    kit::CrashDisk& disk = fuzz::disk_with(fuzz::kServerFile, fuzz::made().server);
    if (!device_file.empty()) disk.import_file(fuzz::kDeviceFile, device_file);
    fuzz::FuzzClock clock;
    SeededRandom random(9);
    SilentLog log;
    auto server = server::Server::open({.place = fuzz::server_place(disk), .model = std::nullopt}, clock, random, log);
    const auto store = store::Store::open({.path = fuzz::kDeviceFile, .vfs = disk.vfs_name(), .device_name = "seed", .model = {}, .busy_timeout_ms = 0}, clock, random);
    SKERRY_ASSERT(server && store);
    fuzz::Line line;
    host::Loopback device(**store, clock, random, line);
    device.ask([](engine::Engine& engine) { static_cast<void>(engine.trigger(engine::kUnitCheck)); });
    for (int turn = 0; turn < 60; ++turn) {
        if (line.asked.empty()) {
            if (!line.wait(device, clock)) break;
            continue;
        }
        auto [request, answer] = fuzz::exchange(line, device, **server, fuzz::made().bearer);
        all.push_back({request.path, request.body, std::move(answer)});
        (*server)->handler().tick();
    }
    return all;
}

wire::Kind asked_kind(const std::string& path) {
    return path == wire::kPathPush ? wire::Kind::kPushRequest : path == wire::kPathPull ? wire::Kind::kPullRequest : path == wire::kPathCheck ? wire::Kind::kCheckRequest : wire::Kind::kEnrollRequest;
}
unsigned route_of(const std::string& path) { return path == wire::kPathPush ? 0 : path == wire::kPathPull ? 1 : path == wire::kPathCheck ? 2 : 3; }

void frame_seeds(const wire::Frame& frame) {
    seed("wire", byte(0) + Bytes(frame.payload));
    seed("lines", byte(2) + byte(static_cast<unsigned>(frame.type)) + Bytes(frame.payload));
    if (frame.type != wire::FrameType::kRows) return;
    Reader in(frame.payload);
    const std::uint64_t entity = in.varint();
    seed("columns", byte(static_cast<unsigned>(entity)) + Bytes(in.rest()));
}

void conversation_seeds(const std::vector<Told>& all) {
    Bytes asks;
    Bytes answers;
    for (const Told& told : all) {
        const wire::Kind kind = asked_kind(told.path);
        const auto asked = wire::read_body(told.asked, kind);
        const auto answered = wire::read_body(told.answered, static_cast<wire::Kind>(static_cast<int>(kind) + 1));
        seed("wire", told.answered);
        Bytes packed;
        coding::Packer().pack(told.answered, packed);
        seed("zstd", byte(3) + packed + packed);
        const std::string length = "content-length: " + std::to_string(told.asked.size()) + "\r\n";
        seed("request", byte(1) + ("POST " + told.path + " HTTP/1.1\r\nhost: a\r\nauthorization: Bearer t\r\ncontent-type: application/vnd.skerry\r\n" + length + "\r\n") + told.asked);
        seed("response", byte(1) + byte(0) + "HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\ncontent-length: " + std::to_string(packed.size()) + "\r\n\r\n" + packed);
        if (!asked || !answered) continue;
        Bytes script;
        const std::size_t frames = std::min<std::size_t>(asked->size() - 1, 4);
        for (std::size_t i = 0; i < frames; ++i) script += byte(static_cast<unsigned>((*asked)[i].type)) + piece((*asked)[i].payload);
        script = byte(route_of(told.path)) + byte(static_cast<unsigned>(frames - 1)) + script;
        seed("intake", script);
        asks += script;
        Bytes said;
        std::size_t n = 0;
        for (const wire::Frame& frame : *answered) {
            frame_seeds(frame);
            if (frame.type == wire::FrameType::kEnd || n == 15) continue;
            Bytes payload(frame.payload);
            if (frame.type == wire::FrameType::kBegin) {
                auto begin = wire::get_begin(payload);
                begin->from = 0;  // put right by the fuzzer
                Bytes again;
                wire::put(again, *begin);
                payload = again.substr(5, again.size() - wire::kFrameOverhead);
            }
            said += byte(static_cast<unsigned>(frame.type)) + piece(payload);
            ++n;
        }
        for (const wire::Frame& frame : *asked) frame_seeds(frame);
        answers += byte(1) + byte(static_cast<unsigned>(n)) + said;
    }
    seed("intake", asks.substr(0, 8000));
    seed("answers", answers.substr(0, 8000));
}

void outbox_seeds() {
    kit::CrashDisk& disk = fuzz::disk_with(fuzz::kDeviceFile, fuzz::made().device);
    fuzz::FuzzClock clock;
    SeededRandom random(10);
    const auto store = store::Store::open({.path = fuzz::kDeviceFile, .vfs = disk.vfs_name(), .device_name = "", .model = {}, .busy_timeout_ms = 0}, clock, random);
    const auto content = store::pack_outbox(**store, store::WithToken::kYes);
    SKERRY_ASSERT(content);
    seed("outbox", byte(1) + *content);
    seed("outbox", byte(0) + "SKRYBOX" + byte(1) + byte(1) + Bytes(view_of(hash128(*content))) + *content);
    Reader in(*content);
    in.zigzag();
    in.bytes();
    seed("outbox", byte(2) + Bytes(in.rest()));
}

// One change each, at every place; a minimised corpus keeps those that reach something.
void file_seeds() {
    SeededRandom random(11);
    for (int i = 0; i < 400; ++i) {
        Bytes script = byte(static_cast<unsigned>(i) % 128);
        const std::uint64_t changes = 1 + random.below(3);
        for (std::uint64_t c = 0; c < changes; ++c)
            for (int k = 0; k < 6; ++k) script += byte(static_cast<unsigned>(k == 0 ? random.below(i % 8 == 0 ? 256 : 160) : random.below(256)));
        seed("store", script);
        seed("server", script);
    }
}

// What a limit is there for: many frames that grow a thousandfold, one window that is too large, frames that hold nothing.
void coding_seeds() {
    Bytes packed;
    coding::Packer().pack(Bytes(1u << 20, '\0'), packed);
    Bytes bomb = byte(3);
    while (bomb.size() + packed.size() <= 4096) bomb += packed;
    seed("zstd", bomb, "bomb_of_many_frames");
    const BytesView magic("\x28\xb5\x2f\xfd", 4);
    // Magic, no single segment, window 2^24, a last raw block of one byte.
    seed("zstd", byte(1) + Bytes(magic) + byte(0) + byte(14 << 3) + Bytes("\x09\0\0x", 4), "window_of_16_MB");
    Bytes nothing = byte(0);
    for (int i = 0; i < 50; ++i) nothing += Bytes(magic) + byte(0) + byte(0) + Bytes("\x01\0\0", 3) + Bytes("\x50\x2a\x4d\x18\0\0\0\0", 8);
    seed("zstd", nothing, "frames_that_hold_nothing");
}

void text_seeds() {
    for (const char* text : {"listen = 0.0.0.0\nport = 80 # web\nlog_level=debug\n", "# none\nmetrics = on\nretention_days = 30\nconnections_max = 5\nlog_format = json"}) seed("texts", byte(0) + text);
    for (const char* text : {"http://example.org", "http://[::1]:8737/a/b", "https://example.org", "http://a:0"}) seed("texts", byte(1) + text);
    for (const char* text : {"select id from team where lead = :sub -- ':no'", "with x as (select \"a:b\" from t) select * from x where y = :me /* :c */"}) seed("texts", byte(2) + text);
    for (const char* text : {"decimal(10, 2)! = 1.50", "enum(open, 'it''s')! = open", "text", "-> house cascade"}) seed("texts", byte(3) + text);
    for (const char* text : {"SGVsbG8=", "00ff", "SGVsbG8"}) seed("texts", byte(4) + text);
    for (const char* text : {"skt_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq", "a\x1b[0m\xe2\x80\xae"}) seed("texts", byte(5) + text);
    for (const char* text : {"id,cost,on\n1,\"2,5\",2026-01-02\n", "\xef\xbb\xbf\"a\"\"b\";c\r\n\"x\ny\";\r\n"}) seed("rows", byte(*text == 'i' ? 0 : 4) + text);
    seed("rows", byte(1) + "[{\"id\":\"x\",\"cost\":1.50,\"extra\":{\"k\":[1,null]},\"done\":true},{\"cost\":null}]");
    seed("rows", byte(2) + "{\"id\":1,\"cost\":\"2\"}\n\n{\"at\":\"2026-01-02T03:04:05Z\"}\n");
    for (const char* text : {"12.34", "-0.5", "2026-01-02", "2026-01-02T03:04:05.000001Z", "[\"a\",\"b\"]", "null", "true", "9007199254740993", "AP8=", "00000000-0000-4000-8000-000000000001"})
        for (unsigned type = 0; type < 14; ++type) seed("values", byte(type) + text);
    for (const char* text : {"{\"a\":[1,2.5e3,\"\\u00e9\"],\"b\":null}", "[\"b\",\"a\"]", "1e400", "\"\\ud834\\udd1e\""}) seed("json", text);
    for (const char* text : {"n > 0 and t like 'a%' escape '!'", "s in ('open') or d between 1.5 and 2", "coalesce(n, 0) + length(t) = 3 and not b", "t = :me and n in :teams", "\"on\" >= '2026-01-01'"}) seed("rules", text);
    for (unsigned policy = 0; policy < 9; ++policy) {
        seed("merge", byte(0) + byte(policy) + piece("one two three") + piece("one 2 three") + "one two three four");
        seed("merge", byte(9) + byte(policy) + piece("[\"a\"]") + piece("[\"a\",\"b\"]") + "[]");
        seed("merge", byte(2) + byte(policy) + piece("5") + piece("7") + "6");
    }
    for (const char* text : {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\nPOST /v1/push HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: u\r\n\r\nGET / HTTP/1.0\r\n\r\n"})
        seed("request", byte(5) + text);
    for (const char* text : {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 503 no\r\nretry-after: 7\r\n\r\nbody", "HTTP/1.1 204 No Content\r\n\r\n"})
        for (unsigned end = 0; end < 2; ++end) seed("response", byte(3) + byte(end) + text);
    seed("lines", byte(3) + byte(1) + "{\"frame\":\"pull\",\"device\":\"00112233445566778899aabbccddeeff\"}\n{\"frame\":\"end\"}\n");
    seed("token", Bytes(200, 'x'));
    seed("model", fuzz::small_model().compile());
    seed("model", fuzz::small_model().compile_whole());
    seed("yaml", "app: a\nversion: 1\nentities:\n  house:\n    key: id uuid\n    name: text!\n    people: int = 0\n");
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: %s FOLDER   writes inputs to begin with into FOLDER/<fuzzer>\n", arguments[0]);
        return 2;
    }
    folder = arguments[1];
    conversation_seeds(conversation({}));
    conversation_seeds(conversation(fuzz::made().device));
    outbox_seeds();
    file_seeds();
    coding_seeds();
    text_seeds();
}
