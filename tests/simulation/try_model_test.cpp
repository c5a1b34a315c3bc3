// skerry-sim --model: what it tells of small models whose conflicts are known, of the examples, of broken models; and that
// random models hold. SKERRY_MODELS (25) from SKERRY_SEED on.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "differential/programs.hpp"
#include "model/json.hpp"
#include "model/yaml/reader.hpp"
#include "simulation/random_model.hpp"
#include "simulation/try_model.hpp"
#include "simulation/worlds.hpp"

namespace skerry::sim {
namespace {

model::Model model_of(const std::string& yaml, const std::string& name = "test.yaml") {
    auto model = model::read_model(yaml, name);
    EXPECT_TRUE(model) << (model ? "" : describe(model.error())) << "\n" << yaml;
    if (!model) return {};
    model->profiles.clear();
    model->principal.clear();
    return std::move(*model);
}

std::string violations(const Tried& tried) {
    std::string out;
    for (const Violation& one : tried.run.violations) out += one.invariant + ": " + one.what + "\n  " + one.replay + "\n";
    return out;
}

Tried run_worlds(const model::Model& model, std::uint64_t worlds, std::uint64_t seed = 1) {
    Tried tried = try_model(model, {.file = "test.yaml", .first_seed = seed}, [&](std::uint64_t n) { return n < worlds; });
    EXPECT_TRUE(tried.run.violations.empty()) << violations(tried);
    EXPECT_EQ(tried.findings.unexplained, 0u);
    return tried;
}

const AttributeFindings& of(const Tried& tried, std::string_view entity, std::string_view attribute) {
    static const AttributeFindings kNone;
    EntityIx ix;
    const model::Entity* found = tried.run.model.find(entity, &ix);
    const auto at = tried.findings.attributes.find({ix.value, *found->attribute_named(attribute)});
    return at == tried.findings.attributes.end() ? kNone : at->second;
}
std::uint64_t times(const AttributeFindings& of, Fate fate) {
    const auto found = of.fates.find(fate);
    return found == of.fates.end() ? 0 : found->second.n;
}
bool any_has(const std::vector<std::string>& lines, std::string_view text) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

constexpr const char* kShop = R"(
app: shop
version: 1
access: open
entities:
  part:
    attributes:
      id: uuid
      sku: text!
      stock: int! = 0
      sold: { type: int, required: true, merge: counter, default: 0 }
    unique: [[sku]]
  job:
    attributes:
      id: uuid
      note: text
      report: { type: text, merge: text }
      who: { type: text, merge: ask }
      done: bool! = false
)";

TEST(TryModel, tells_what_each_policy_made_of_two_changes) {
    const model::Model model = model_of(kShop);
    const Tried tried = run_worlds(model, 40);
    // Rejected with its transaction is what any change may be; beside it each policy does only what it is for.
    const auto only = [&](std::string_view entity, std::string_view attribute, std::initializer_list<Fate> may, Fate does) {
        const AttributeFindings& found = of(tried, entity, attribute);
        EXPECT_GT(times(found, does), 3u) << entity << "." << attribute << " " << fate_name(does);
        std::uint64_t all = 0;
        for (const auto& [fate, counted] : found.fates) {
            all += counted.n;
            EXPECT_TRUE(fate == does || fate == Fate::kTransaction || std::find(may.begin(), may.end(), fate) != may.end()) << entity << "." << attribute << " " << fate_name(fate);
        }
        EXPECT_EQ(all, found.met) << "each that met has one fate";
        EXPECT_GE(found.changes, found.met);
    };
    only("part", "sold", {Fate::kSame}, Fate::kMerged);
    only("part", "stock", {Fate::kSame}, Fate::kReplaced);
    only("job", "note", {Fate::kSame}, Fate::kReplaced);
    only("job", "report", {Fate::kSame, Fate::kAsked}, Fate::kMerged);
    only("job", "who", {Fate::kSame}, Fate::kAsked);
    EXPECT_EQ(times(of(tried, "part", "sold"), Fate::kReplaced), 0u) << "a counter loses nothing";

    const auto unique = tried.findings.rejections.find({"not_unique", "part", "sku"});
    ASSERT_NE(unique, tried.findings.rejections.end());
    EXPECT_GE(unique->second.n, 3u);
    EXPECT_NE(unique->second.examples.front().find("draft"), std::string::npos) << unique->second.examples.front();

    const auto given = hints(model, tried.findings);
    EXPECT_TRUE(any_has(given, "part.stock: last lost")) << report_text(tried.run, tried.findings);
    EXPECT_TRUE(any_has(given, "job.note: last lost words"));
    EXPECT_TRUE(any_has(given, "part (sku) is unique"));
    EXPECT_FALSE(any_has(given, "part.sold"));
    EXPECT_FALSE(any_has(given, "job.report"));
    EXPECT_FALSE(any_has(given, "job.done"));
}

// An example is checked against the run: the later value stays, the other is the one that gave way.
TEST(TryModel, examples_say_who_wrote_what_and_what_stayed) {
    const model::Model model = model_of(kShop);
    const Tried tried = run_worlds(model, 12);
    const auto& replaced = of(tried, "part", "stock").fates.at(Fate::kReplaced).examples;
    ASSERT_FALSE(replaced.empty());
    for (const std::string& text : replaced) {
        // part …0002.stock was 5. ann made it 7; ben, who had not seen that, wrote 6. 6 stays (last); ann's 7 is in the history.
        static const std::string kMade = " made it ", kWrote = "wrote ";
        const auto word_at = [&](std::size_t at) { return text.substr(at, text.find_first_of(" .;", at) - at); };
        const std::size_t made = text.find(kMade), wrote = text.find(kWrote);
        ASSERT_NE(made, std::string::npos) << text;
        ASSERT_NE(wrote, std::string::npos) << text;
        const std::string theirs = word_at(made + kMade.size()), mine = word_at(wrote + kWrote.size());
        const std::string who = text.substr(text.rfind(' ', made - 1) + 1, made - text.rfind(' ', made - 1) - 1);
        EXPECT_NE(theirs, mine) << text;
        EXPECT_NE(text.find(". " + mine + " stays (last); " + who + "'s " + theirs + " is in the history."), std::string::npos) << text;
    }
}

constexpr const char* kRules = R"yaml(
app: rules
version: 1
access: open
entities:
  page:
    attributes: { id: text, title: text, price: "decimal(8, 2)" }
    conflict: last
    create_create: merge
  booking:
    attributes: { id: uuid, starts: date!, ends: date!, page_id: page }
    checks: ["starts <= ends"]
    update_delete: update_wins
  form:
    attributes: { id: text, a: int, b: int }
    conflict: detect
  best:
    attributes:
      id: text
      high: { type: int, merge: max }
      won: { type: text, merge: first }
)yaml";

TEST(TryModel, tells_what_becomes_of_rows_and_transactions) {
    const model::Model model = model_of(kRules);
    const Tried tried = run_worlds(model, 70);
    const auto happened = [&](std::string_view entity, Happening what) {
        EntityIx ix;
        static_cast<void>(model.find(entity, &ix));
        const auto found = tried.findings.happenings.find({ix.value, what});
        return found == tried.findings.happenings.end() ? 0 : found->second.n;
    };
    const std::string text = report_text(tried.run, tried.findings);
    EXPECT_GT(happened("booking", Happening::kCameBack), 0u) << text;
    EXPECT_GT(happened("booking", Happening::kDeletionGaveWay), 0u);
    EXPECT_EQ(happened("booking", Happening::kChangedAfterDeletion), 0u) << "update_wins asks nobody";
    EXPECT_GT(happened("page", Happening::kCreatedTwice), 0u);
    EXPECT_EQ(happened("best", Happening::kCreatedTwice), 0u);
    EXPECT_GT(happened("form", Happening::kRowAsked), 0u);
    EXPECT_GT(of(tried, "page", "title").not_even_changed, 0u) << "with conflict: last a whole row wins";
    EXPECT_GT(times(of(tried, "best", "won"), Fate::kGaveWay), 0u);
    EXPECT_EQ(times(of(tried, "best", "won"), Fate::kReplaced), 0u);
    EXPECT_GT(times(of(tried, "best", "high"), Fate::kGaveWay) * times(of(tried, "best", "high"), Fate::kReplaced), 0u) << "the larger stays, whoever comes later";
    const auto check = tried.findings.rejections.find({"check_failed", "booking", "starts <= ends"});
    ASSERT_NE(check, tried.findings.rejections.end()) << text;
    const auto taken = tried.findings.rejections.find({"key_taken", "best", "id"});
    ASSERT_NE(taken, tried.findings.rejections.end()) << text;
    EXPECT_FALSE(tried.findings.rejections.contains({"key_taken", "page", "id"}));
    EXPECT_TRUE(any_has(hints(model, tried.findings), "page.title: conflict: last replaced")) << text;
    EXPECT_TRUE(any_has(not_looked_at(tried.run, tried.findings), "booking: its checks were judged"));
}

TEST(TryModel, json_says_the_same) {
    const model::Model model = model_of(kShop);
    const Tried tried = run_worlds(model, 10);
    const auto json = model::json_members(report_json(tried.run, tried.findings));
    ASSERT_TRUE(json) << describe(json.error());
    const std::map<std::string, std::string> all(json->begin(), json->end());
    EXPECT_EQ(all.at("held"), "true");
    EXPECT_EQ(all.at("worlds"), "10");
    EXPECT_NE(all.at("transactions").find("\"all\":" + std::to_string(tried.findings.transactions)), std::string::npos) << all.at("transactions");
    EXPECT_NE(all.at("attributes").find("\"stock\""), std::string::npos);
}

TEST(TryModel, equal_seeds_tell_equal_things) {
    const model::Model model = model_of(kRules);
    const Tried once = run_worlds(model, 6, 77), again = run_worlds(model, 6, 77);
    EXPECT_EQ(report_text(once.run, once.findings), report_text(again.run, again.findings));
}

TEST(TryModel, what_was_not_tried_is_named) {
    const model::Model model = model_of("app: a\nversion: 1\naccess: open\nentities:\n  never:\n    attributes: { id: uuid, n: int! }\n    checks: [\"n < 1 and n > 1\"]\n");
    const Tried tried = run_worlds(model, 2);
    EXPECT_TRUE(any_has(not_looked_at(tried.run, tried.findings), "never: no row of it was written"));
    EXPECT_NE(report_text(tried.run, tried.findings).find("nothing was shown"), std::string::npos);
}

TEST(TryModel, every_example_model_holds) {
    int models = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(SKERRY_SOURCE_DIR "/examples")) {
        if (entry.path().extension() != ".yaml") continue;
        ++models;
        std::ifstream in(entry.path());
        std::stringstream text;
        text << in.rdbuf();
        const model::Model model = model_of(text.str(), entry.path().filename());
        const Tried tried = run_worlds(model, 6);
        EXPECT_GT(tried.findings.transactions, 50u) << entry.path();
        for (std::uint32_t e = 0; e < model.entities.size(); ++e)
            if (!model.entities[e].builtin()) {
                EXPECT_GT(tried.findings.rows_written.contains(e) ? tried.findings.rows_written.at(e) : 0, 0u) << model.entities[e].name;
            }
    }
    EXPECT_GE(models, 2);
}

// The models of the random worlds and of the random programs: every type, policy and kind of reference.
TEST(TryModel, the_richest_models_hold) {
    for (const model::Model* model : {&kit::world_model(), &kit::scoped_model(), &differential::program_model()}) {
        model::Model whole = *model;
        whole.profiles.clear();
        whole.principal.clear();
        run_worlds(whole, 8);
    }
}

// Random models found these: a second creation that gives nothing, one beside `conflict: last`, and counters and sets that are NULL.
TEST(TryModel, models_that_once_failed_hold) {
    for (const char* entity : {"attributes: { id: text, parent: thing }\n    create_create: merge", "attributes: { id: text, a: thing, b: thing }\n    conflict: last\n    create_create: merge",
                               "attributes: { id: uuid, n: { type: int, merge: counter }, s: { type: set, merge: set } }"})
        run_worlds(model_of(std::string("app: a\nversion: 1\naccess: open\nentities:\n  thing:\n    ") + entity + "\n"), 12);
}

TEST(TryModel, random_models_hold) {
    const std::uint64_t first = kit::from_environment("SKERRY_SEED", 1);
    const std::uint64_t models = kit::from_environment("SKERRY_MODELS", 25);
    for (std::uint64_t seed = first; seed < first + models; ++seed) {
        const std::string yaml = random_model(seed);
        SCOPED_TRACE("model of seed " + std::to_string(seed) + ":\n" + yaml);
        const model::Model model = model_of(yaml);
        const Tried tried = run_worlds(model, 2, seed);
        EXPECT_GT(tried.findings.transactions, 0u);
        if (::testing::Test::HasFailure()) return;
    }
}

int run_main(std::vector<std::string> words, std::string* out, std::string* err) {
    words.insert(words.begin(), "skerry-sim");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = try_main(static_cast<int>(argv.size()), argv.data());
    *out = ::testing::internal::GetCapturedStdout();
    *err = ::testing::internal::GetCapturedStderr();
    return code;
}

TEST(TryMain, a_broken_model_is_told_as_model_check_tells_it) {
    std::string out, err;
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(SKERRY_SOURCE_DIR "/tests/models/bad")) {
        if (entry.path().extension() != ".yaml") continue;
        ++files;
        EXPECT_EQ(run_main({"--model", entry.path()}, &out, &err), 2) << entry.path();
        EXPECT_EQ(out, "");
        EXPECT_NE(err.find(entry.path().filename().string() + ":"), std::string::npos) << err;
    }
    EXPECT_GT(files, 5);
    EXPECT_EQ(run_main({"--model", "/nowhere.yaml"}, &out, &err), 2);
    EXPECT_NE(err.find("/nowhere.yaml"), std::string::npos);
}

TEST(TryMain, wrong_arguments_are_usage) {
    std::string out, err;
    const std::vector<std::vector<std::string>> wrong = {{"--model"}, {"--model", "a", "--devices", "1"}, {"--model", "a", "--devices", "6"}, {"--model", "a", "--worlds", "0"},
                                                         {"--model", "a", "--minutes", "x"}, {"--model", "a", "--plant", "1"}, {"--model", "a", "--seed", "12x"}};
    for (const auto& words : wrong) {
        EXPECT_EQ(run_main(words, &out, &err), 2) << words.back();
        EXPECT_NE(err.find("--help"), std::string::npos) << err;
    }
    EXPECT_EQ(run_main({"--help"}, &out, &err), 0);
    EXPECT_NE(out.find("skerry-sim --model shop.yaml"), std::string::npos);
}

TEST(TryMain, runs_an_example) {
    std::string out, err;
    EXPECT_EQ(run_main({"--model", SKERRY_SOURCE_DIR "/examples/outreach/model.yaml", "--worlds", "2", "--devices", "3", "--seed", "0x10"}, &out, &err), 0) << out << err;
    EXPECT_NE(out.find("2 worlds of 3 people, from seed 16"), std::string::npos) << out;
    EXPECT_NE(out.find("All held."), std::string::npos);
    EXPECT_NE(out.find("profiles: they were left out"), std::string::npos) << "said, not silent";
}

}  // namespace
}  // namespace skerry::sim
