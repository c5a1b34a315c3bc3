#include "wire/json/answers.hpp"

#include "base/hash.hpp"
#include "base/text.hpp"
#include "model/value.hpp"
#include "wire/check.hpp"
#include "wire/continuing.hpp"
#include "wire/json/line.hpp"
#include "wire/json/object.hpp"
#include "wire/messages.hpp"

namespace skerry::wire::json {

namespace {

std::string_view verdict_word(Verdict verdict) { return verdict == Verdict::kSettledBefore ? "settled_before" : verdict_name(verdict); }

// The bytes as they stand in the transaction's id: the first 16 digits of it.
std::string id8_hex(std::uint64_t id8) {
    Bytes bytes;
    Writer(bytes).u64(id8);
    return hex(bytes);
}

void put_outcome_members(ObjectWriter& line, const Outcome& outcome) {
    line.number("number", outcome.no.value).text("id8", id8_hex(outcome.id8)).text("verdict", verdict_word(outcome.verdict));
    if (outcome.verdict != Verdict::kRejected && outcome.verdict != Verdict::kConflict) return;
    line.text("code", code_name(outcome.code)).text("message", outcome.message);
    if (outcome.root) line.number("root", outcome.root.value);
}

void put_upto(ObjectWriter& line, const std::optional<std::string>& upto) {
    if (upto) {
        line.text("upto", *upto);
    } else {
        line.key("upto") += "null";
    }
}

void put_scopes(ObjectWriter& line, const std::vector<ScopeId>& scopes) {
    line.list("scopes", scopes, [](Bytes& out, ScopeId scope) { out += std::to_string(scope.value); });
}

void put_rows(ObjectWriter& line, const model::Entity& entity, const std::vector<RowEntry>& rows) {
    line.list("rows", rows, [&](Bytes& out, const RowEntry& entry) {
        ObjectWriter row(out);
        row.text("key", entry.key);
        put_scopes(row, entry.lines);
        row.text("version", hex(view_of(model::row_hash(entity, entry.row))));
        ObjectWriter values(row.key("values"));
        for (std::size_t i = 0; i < entity.attributes.size(); ++i)
            model::append_json(values.key(entity.attributes[i].name), entity.attributes[i], entry.row[i]);
        values.end();
        row.end();
    });
}

void put_digest(ObjectWriter& line, const RangeDigest& digest) {
    Bytes sum;
    Writer w(sum);
    w.u64(digest.low);
    w.u64(digest.high);
    line.number("count", digest.count).text("sum", hex(sum));
}

// One frame into the members of its line.
class FrameLine {
  public:
    FrameLine(ObjectWriter& line, const model::Model& model, const DeviceId& device) : line_(line), model_(model), device_(device) {}

    Result<void> put(const Frame& frame) {
        switch (frame.type) {
            case FrameType::kEnd: return bare("end");
            case FrameType::kHeartbeat: return bare("heartbeat");
            case FrameType::kMoved: return bare("moved");
            case FrameType::kExpect: return number("expect", "number", frame.payload);
            case FrameType::kIdentityTaken: return number("identity_taken", "number", frame.payload);
            case FrameType::kLostScope: return number("lost_scope", "scope", frame.payload);
            case FrameType::kComplete: return number("complete", "scope", frame.payload);
            case FrameType::kError: return error(frame.payload);
            case FrameType::kEnrolled: return enrolled(frame.payload);
            case FrameType::kVerdict: return verdict(frame.payload);
            case FrameType::kBegin: return begin(frame.payload);
            case FrameType::kOutcomes: return outcomes(frame.payload);
            case FrameType::kLines: return lines(frame.payload);
            case FrameType::kRows: return rows(frame.payload);
            case FrameType::kLeaves: return leaves(frame.payload);
            case FrameType::kSlice: return slice(frame.payload);
            case FrameType::kCheckpoint: return checkpoint(frame.payload);
            case FrameType::kDiffers: return differs(frame.payload);
            default: return fail(Code::kDamagedFrame, "an answer holds a frame of type " + std::to_string(static_cast<int>(frame.type)));
        }
    }

  private:
    Result<void> bare(std::string_view name) {
        line_.text("frame", name);
        return {};
    }

    Result<void> number(std::string_view frame, std::string_view name, BytesView payload) {
        SKERRY_ASSIGN(const std::uint64_t n, get_number(payload));
        line_.text("frame", frame).number(name, n);
        return {};
    }

    Result<void> error(BytesView payload) {
        SKERRY_ASSIGN(const Failure m, get_failure(payload));
        line_.text("frame", "error").text("code", code_name(m.code)).text("message", m.message);
        line_.number("retry_after_ms", m.retry_after_ms);
        return {};
    }

    Result<void> enrolled(BytesView payload) {
        SKERRY_ASSIGN(const Enrolled m, get_enrolled(payload));
        SKERRY_ASSIGN(const model::Model model, model::Model::load(m.model));
        line_.text("frame", "enrolled").text("user", m.user).text("model_hash", number_hex(model.hash()));
        line_.text("from", number_hex(continues(device_, {})));
        append_model(line_.key("model"), model);
        return {};
    }

    Result<void> verdict(BytesView payload) {
        SKERRY_ASSIGN(const Outcome m, get_verdict(payload));
        put_outcome_members(line_.text("frame", "verdict"), m);
        return {};
    }

    Result<void> begin(BytesView payload) {
        SKERRY_ASSIGN(const Begin m, get_begin(payload));
        line_.text("frame", "begin").text("from", number_hex(m.from)).flag("verify", m.verify).flag("caught_up", m.caught_up);
        line_.number("seen", m.seen.value).number("rows_left", m.rows_left).text("profile", m.profile);
        for (const ScopeInfo& scope : m.scopes) SKERRY_TRY(known(scope.entity));
        line_.list("scopes", m.scopes, [&](Bytes& out, const ScopeInfo& scope) {
            ObjectWriter(out).number("scope", scope.id.value).text("name", scope.name).text("entity", model_.entity(scope.entity).name)
                .flag("whole", scope.whole).end();
        });
        return {};
    }

    Result<void> outcomes(BytesView payload) {
        SKERRY_ASSIGN(const auto m, get_outcomes(payload));
        line_.text("frame", "outcomes").list("outcomes", m, [](Bytes& out, const Outcome& outcome) {
            ObjectWriter object(out);
            put_outcome_members(object, outcome);
            object.end();
        });
        return {};
    }

    Result<void> lines(BytesView payload) {
        SKERRY_ASSIGN(const Lines m, get_lines(payload));
        SKERRY_TRY(keys("lines", m.entity, m.scope, m.keys));
        return {};
    }

    Result<void> leaves(BytesView payload) {
        SKERRY_ASSIGN(const Leaves m, get_leaves(payload));
        SKERRY_TRY(keys("leaves", m.entity, m.scope, m.keys));
        line_.text("why", m.why == Left::kDeleted ? "deleted" : "moved");
        return {};
    }

    Result<void> keys(std::string_view frame, EntityIx entity, ScopeId scope, const std::vector<std::string>& keys) {
        SKERRY_TRY(known(entity));
        line_.text("frame", frame).text("entity", model_.entity(entity).name).number("scope", scope.value).texts("keys", keys);
        return {};
    }

    Result<void> rows(BytesView payload) {
        SKERRY_ASSIGN(const Rows m, get_rows(payload, model_));
        line_.text("frame", "rows").text("entity", model_.entity(m.entity).name);
        put_rows(line_, model_.entity(m.entity), m.rows);
        return {};
    }

    Result<void> slice(BytesView payload) {
        SKERRY_ASSIGN(const Slice m, get_slice(payload, model_));
        line_.text("frame", "slice").text("entity", model_.entity(m.entity).name);
        put_scopes(line_, m.scopes);
        line_.text("after", m.after);
        put_upto(line_, m.upto);
        put_rows(line_, model_.entity(m.entity), m.rows);
        return {};
    }

    Result<void> checkpoint(BytesView payload) {
        SKERRY_ASSIGN(const Checkpoint m, get_checkpoint(payload));
        line_.text("frame", "checkpoint").text("token", base64(m.token));
        line_.text("next", number_hex(continues(device_, m.token))).flag("more", m.more);
        return {};
    }

    Result<void> differs(BytesView payload) {
        SKERRY_ASSIGN(const Differs m, get_differs(payload));
        line_.text("frame", "differs").number("index", m.index);
        line_.list("rows", m.rows, [](Bytes& out, const HeldRow& row) {
            ObjectWriter(out).text("key", row.key).text("hash", hex(view_of(row.hash))).end();
        });
        line_.list("parts", m.parts, [](Bytes& out, const DigestPart& part) {
            ObjectWriter object(out);
            put_upto(object, part.upto);
            put_digest(object, part.digest);
            object.end();
        });
        return {};
    }

    Result<void> known(EntityIx entity) const {
        if (model_.has(entity)) return {};
        return fail(Code::kDamagedFrame, "an answer names an entity that the model does not have");
    }

    ObjectWriter& line_;
    const model::Model& model_;
    const DeviceId& device_;
};

}  // namespace

Result<void> AnswerLines::feed(BytesView bytes, Bytes& out) {
    reader_.feed(bytes);
    for (;;) {
        SKERRY_ASSIGN(const auto frame, reader_.next());
        if (!frame) return {};
        if (frame->type == FrameType::kSpool) continue;
        const std::size_t start = out.size();
        ObjectWriter line(out);
        if (auto put = FrameLine(line, model_, device_).put(*frame); !put) {
            out.resize(start);  // half a line is none
            return fail(std::move(put.error()));
        }
        line.end();
        out += '\n';
    }
}

}  // namespace skerry::wire::json
