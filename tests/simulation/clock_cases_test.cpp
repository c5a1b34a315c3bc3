// Failures that users really met, replayed: clocks that are wrong or jump, and time zones.
#include <cstdlib>
#include <ctime>

#include "simulation/cases.hpp"

namespace skerry::kit {
namespace {

// Four years ahead, ten minutes behind, ten years behind.
constexpr Micros kSkews[] = {std::chrono::hours(24 * 365 * 4), -Micros(std::chrono::minutes(10)), -Micros(std::chrono::hours(24 * 365 * 10))};

TEST(Cases, case_D1_case_D2_case_D4_no_clock_decides_which_of_two_writes_stays) {
    for (const Micros skew : kSkews) {
        Pair p;
        p.ann.clock().jump(skew);
        const auto both_show = [&](const std::string& text) {
            for (Device* device : p.w.devices()) EXPECT_EQ(device->rows("note"), Lines{"k1: '" + text + "' 5 NULL"}) << device->name() << " " << skew.count();
        };
        // What was written later, and came later, stays: also by the slow clock.
        p.ben.sql("UPDATE note SET text = 'older' WHERE id = 'k1'");
        p.w.run_for(Millis{60'000});
        p.ann.sql("UPDATE note SET text = 'newer' WHERE id = 'k1'");
        p.w.sync(p.ben);
        p.w.sync(p.ann);
        p.w.sync(p.ben);
        both_show("newer");
        // Who has seen the winner and writes next is not beaten by its stamp: also where that was in 2030.
        p.ben.sql("UPDATE note SET text = 'after the winner' WHERE id = 'k1'");
        p.w.sync(p.ben);
        p.w.sync(p.ann);
        both_show("after the winner");
        p.ann.sql("UPDATE note SET text = 'and again' WHERE id = 'k1'");
        p.w.sync(p.ann);
        p.w.sync(p.ben);
        both_show("and again");
        // A clock that is put right locks nobody out.
        p.ann.clock().jump(-skew);
        p.ann.sql("UPDATE note SET text = 'in time' WHERE id = 'k1'");
        p.w.sync(p.ann);
        p.w.sync(p.ben);
        both_show("in time");
        EXPECT_TRUE(p.w.finish()) << p.w.report();
    }
}

TEST(Cases, case_D3_a_clock_that_jumps_back_and_forth_changes_no_order_and_stops_no_timer) {
    Pair p;
    p.ann.ask([](engine::Engine& e) { EXPECT_TRUE(e.define({.name = "writes", .after_write = true})); });
    p.ben.set_live(true);
    int shown = 0;
    bool forward = true;
    for (int i = 1; i <= 30; ++i) {
        p.ann.clock().jump(i % 3 == 0 ? Micros(std::chrono::hours(2)) : -Micros(std::chrono::minutes(61)));
        p.ann.sql("UPDATE note SET n = " + std::to_string(100 + i) + " WHERE id = 'k1'");
        p.ann.sql(note(numbered("d", i), "x", i));
        p.w.run_until([&] {
            const Lines rows = p.ben.rows("note");
            const int n = std::atoi(rows.back().c_str() + std::string("k1: 'x' ").size());
            forward = forward && (n == 5 || n >= shown);
            if (n != 5) shown = n;
            return false;
        }, Millis{700});
    }
    EXPECT_TRUE(forward);
    EXPECT_TRUE(p.w.run_until([&] { return p.ann.unsettled() == 0; }, Millis{60'000})) << "the timer after a write fires: " << p.w.report();
    for (const engine::RunEvent& event : p.ann.take_events()) EXPECT_GE(event.report.took.count(), 0) << event.unit;
    EXPECT_EQ(p.ann.last_no(), 61u);
    for (std::uint64_t no = 2; no <= 61; ++no) EXPECT_EQ(p.ann.verdict(no), "applied") << no;
    EXPECT_EQ(p.w.server().rows("note").size(), 31u);
    EXPECT_EQ(p.w.server().rows("note").back(), "k1: 'x' 130 NULL");
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

TEST(Cases, case_D5_of_equal_moments_and_equal_values_everybody_keeps_the_same_one) {
    World w{kSeed};
    const std::vector<Device*> all{&w.device("ann"), &w.device("ben"), &w.device("carl")};
    for (Device* device : all) w.sync(*device);
    // No time passes between these.
    for (Device* device : all) device->sql(note("same", "equal", 1));
    for (Device* device : all) device->sql("INSERT INTO nat(id, \"group\", m) VALUES('same', 'equal', 1)");
    w.sync_all();
    w.sync_all();
    for (Device* device : all) {
        EXPECT_EQ(device->rows("note"), Lines{"same: 'equal' 1 NULL"}) << device->name();
        EXPECT_EQ(device->rows("nat"), w.server().rows("nat")) << device->name();
        EXPECT_EQ(device->rows("nat").size(), 1u);
    }
    for (Device* device : all) device->sql("UPDATE note SET text = '" + device->name() + "' WHERE id = 'same'");
    w.sync_all();
    w.sync_all();
    for (Device* device : all) EXPECT_EQ(device->rows("note"), Lines{"same: 'carl' 1 NULL"}) << "the last to arrive, on " << device->name();
    EXPECT_TRUE(w.finish()) << w.report();
}

// The time zone of the process, as long as this lives.
class InZone final {
  public:
    explicit InZone(const char* zone) {
        setenv("TZ", zone, 1);
        tzset();
    }
    ~InZone() {
        unsetenv("TZ");
        tzset();
    }
};

TEST(Cases, case_D6_dates_and_times_are_the_same_bytes_in_every_time_zone) {
    const std::vector<const char*> zones{"AAA+12", "BBB-14", "CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0"};
    // Hours that clocks skip or have twice somewhere, and the ends of days and years.
    const std::vector<std::pair<std::string, std::string>> moments{{"2026-03-29", "2026-03-29T02:30:00.000000Z"}, {"2026-10-25", "2026-10-25T02:30:00.000001Z"},
        {"2026-03-08", "2026-03-08T02:00:00.000000Z"}, {"2026-12-31", "2026-12-31T23:59:59.999999Z"}, {"2027-01-01", "2027-01-01T00:00:00.000000Z"}};
    World w{kSeed};
    Device& ann = w.device("ann");
    Device& ben = w.device("ben");
    int n = 0;
    for (const char* written_in : zones) {
        for (const char* read_in : zones) {
            Lines keys;
            {
                const InZone zone(written_in);
                for (const auto& [day, at] : moments) {
                    keys.push_back(numbered("c", n++));
                    ann.sql("INSERT INTO card(id, day, at) VALUES(?1, ?2, ?3)", {Value{keys.back()}, Value{day}, Value{at}});
                }
                w.sync(ann);
            }
            const InZone zone(read_in);
            w.sync(ben);
            for (std::size_t i = 0; i < moments.size(); ++i) {
                const auto row = ben.store().sql("SELECT day, at FROM card WHERE id = '" + keys[i] + "'");
                ASSERT_TRUE(row && row->rows.size() == 1);
                EXPECT_EQ(row->rows[0][0], Value{moments[i].first});
                EXPECT_EQ(row->rows[0][1], Value{moments[i].second});
            }
        }
    }
    EXPECT_TRUE(w.finish()) << w.report();
}

}  // namespace
}  // namespace skerry::kit
