#include "server/intake/push.hpp"

#include "base/planted.hpp"
#include "server/access/devices.hpp"
#include "server/intake/judge.hpp"
#include "server/scopes/grants.hpp"

namespace skerry::server::intake {

namespace {

using wire::FrameType;
using wire::Outcome;

struct Request {
    wire::PushHello hello;
    std::vector<BytesView> transactions;  // payloads
    // What follows the header is decoded when it is judged, one at a time, so that a request of many small things is never held
    // decoded as a whole.
    std::vector<wire::TxnHeader> headers;
    std::optional<wire::Part> part;  // instead of transactions
};

Result<Request> parse(BytesView body) {
    SKERRY_ASSIGN(const auto frames, wire::read_body(body, wire::Kind::kPushRequest));
    const auto malformed = [] { return fail(Code::kDamagedFrame, "a push is a hello, transactions or one part, and an end"); };
    if (frames.size() < 2 || frames.front().type != FrameType::kPushHello || frames.back().type != FrameType::kEnd)
        return malformed();
    if (frames.size() - 2 > wire::kPushTxnsMax)
        return fail(Code::kLimitExceeded, "a push holds at most " + std::to_string(wire::kPushTxnsMax) + " transactions");
    Request request;
    SKERRY_ASSIGN(request.hello, wire::get_push_hello(frames.front().payload));
    if (frames.size() == 3 && frames[1].type == FrameType::kPart) {
        SKERRY_ASSIGN(request.part, wire::get_part(frames[1].payload));
        return request;
    }
    for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
        if (frames[i].type != FrameType::kTransaction) return malformed();
        SKERRY_ASSIGN(const wire::TxnHeader header, wire::get_header(frames[i].payload));
        request.transactions.push_back(frames[i].payload);
        request.headers.push_back(header);
    }
    return request;
}

class Push {
  public:
    Push(const PushContext& context, const access::Principal& principal, std::string profile, const Request& request)
        : c_(context), principal_(principal), profile_(std::move(profile)), request_(request) {}

    Result<PushReply> run() {
        SKERRY_TRY(begin());
        SKERRY_TRY(forget_settled(request_.headers.empty() ? request_.hello.keep_from : request_.headers.front().no));
        for (std::size_t i = 0; i < request_.headers.size(); ++i) {
            if (in_commit_ == kTxnsPerCommit) {
                SKERRY_TRY(commit());
                SKERRY_TRY(begin());
            }
            SKERRY_ASSIGN(const bool go_on, take(request_.headers[i], request_.transactions[i]));
            if (!go_on) break;
        }
        SKERRY_TRY(commit());
        return std::move(reply_);
    }

    // What can be told before the transaction is whole is told at once. The device is locked only while it is looked at: storing a
    // part waits for no other writer.
    Result<PushReply> run_part(const wire::Part& part) {
        SKERRY_TRY(begin());
        SKERRY_TRY(forget_settled(part.no));
        SKERRY_ASSIGN(const Place place, place_of(part.no, part.id8));
        if (place == Place::kKnown) SKERRY_TRY(repeat(part.no, part.id8));
        SKERRY_TRY(commit());
        if (place != Place::kNext) return std::move(reply_);

        SKERRY_ASSIGN(const std::uint64_t have, c_.parts.put(device_.id, part, c_.clock.wall()));
        std::optional<Bytes> whole;
        if (have == part.total) {
            SKERRY_ASSIGN(whole, c_.parts.whole(device_.id, part));
        }
        if (!whole) {
            reply_.have = wire::Have{part.no, part.content, have == part.total ? 0 : have};
            return std::move(reply_);
        }
        SKERRY_ASSIGN(const wire::TxnHeader header, wire::get_header(*whole));
        if (header.no != part.no || wire::first_eight(header.id) != part.id8)
            return fail(Code::kDamagedFrame, "the parts come to another transaction than they said");
        SKERRY_TRY(begin());
        SKERRY_TRY(take(header, *whole));
        SKERRY_TRY(commit());
        // It is replaced by the device's next anyway.
        if (const auto forgotten = c_.parts.forget(device_.id); !forgotten)
            c_.log.line(LogLevel::kWarn, "parts of a transaction stay in transit.db: " + forgotten.error().message);
        return std::move(reply_);
    }

  private:
    enum class Place { kNext, kKnown, kElsewhere };

    // Where a transaction stands among the device's numbers; kElsewhere is told in the reply.
    Result<Place> place_of(TxnNo no, std::uint64_t id8) {
        SKERRY_ASSIGN(const auto known, txn_->seen(device_.ix, no));
        if (known && (*known == id8 || planted(Plant::kCloneNotDetected))) return Place::kKnown;
        if (known) {
            reply_.identity_taken = no;
            return Place::kElsewhere;
        }
        const bool forgotten = planted(Plant::kDedupeForgotten) && no <= device_.seen;
        if (no == device_.seen.next() || forgotten) return Place::kNext;
        reply_.expect = device_.seen.next();
        return Place::kElsewhere;
    }

    Result<void> begin() {
        SKERRY_ASSIGN(txn_, c_.backend.begin_write());
        SKERRY_ASSIGN(device_, access::own_device(*txn_, principal_, request_.hello.device));
        in_commit_ = 0;
        dirty_ = false;
        return {};
    }

    // Behind a gap nothing is forgotten: this server was restored, and the settled transactions that will be sent again to fill the
    // gap name earlier ones that the device no longer does.
    Result<void> forget_settled(TxnNo first) {
        const TxnNo keep_from = request_.hello.keep_from;
        if (keep_from == device_.keep_from || first > device_.seen.next()) return {};
        // Lower than before: a store that was restored asks again for what it has not settled.
        if (keep_from > device_.keep_from) SKERRY_TRY(txn_->purge_below(device_.ix, planted(Plant::kOutcomeForgotten) ? device_.seen.next() : keep_from));
        device_.keep_from = keep_from;
        dirty_ = true;
        return {};
    }

    // One transaction. False: nothing behind it may be judged.
    Result<bool> take(const wire::TxnHeader& header, BytesView payload) {
        const std::uint64_t id8 = wire::first_eight(header.id);
        SKERRY_ASSIGN(const Place place, place_of(header.no, id8));
        if (place == Place::kElsewhere) return false;
        if (place == Place::kKnown) {
            SKERRY_TRY(repeat(header.no, id8));
            return true;
        }
        SKERRY_ASSIGN(Outcome outcome, judge_in_savepoint(header, payload));
        outcome.id8 = id8;
        SKERRY_TRY(txn_->put_seen(device_.ix, header.no, id8));
        SKERRY_TRY(txn_->put_outcome(device_.ix, outcome));
        SKERRY_TRY(keep_content(outcome, payload));
        device_.seen = std::max(device_.seen, header.no);
        dirty_ = true;
        ++in_commit_;
        judged_.push_back(outcome.verdict);
        verdicts_.push_back(std::move(outcome));
        return true;
    }

    // Who changed what is told from the log; a rejected transaction is a draft besides.
    Result<void> keep_content(const Outcome& outcome, BytesView payload) {
        if (outcome.verdict == wire::Verdict::kRejected)
            SKERRY_TRY(txn_->put_draft({device_.ix, outcome.no, principal_.user, outcome.code, outcome.root, outcome.message,
                                        member_of(outcome.message), Bytes(payload), now_us()}));
        storage::LogRow row{device_.ix, principal_.user, outcome, Bytes(payload), std::move(named_rows_), now_us()};
        named_rows_.clear();
        return txn_->put_log(row);
    }

    // Messages about one attribute begin with its place.
    std::string member_of(std::string_view message) const {
        const std::string_view place = message.substr(0, message.find(' '));
        const std::size_t dot = place.find('.');
        if (dot == std::string_view::npos) return {};
        const model::Entity* entity = c_.backend.model().find(place.substr(0, dot));
        const std::string_view name = place.substr(dot + 1);
        if (entity == nullptr || (name != entity->key.name && !entity->attribute_named(name))) return {};
        return std::string(place);
    }

    // Known and the same: the stored verdict, or, where it was forgotten because the device had settled it once,
    // a fresh outcome that says so, delivered like any other: a restored store settles by it.
    Result<void> repeat(TxnNo no, std::uint64_t id8) {
        SKERRY_ASSIGN(auto outcome, txn_->outcome(device_.ix, no));
        if (!outcome) {
            outcome = Outcome{no, wire::Verdict::kSettledBefore, Code::kInternal, {}, {}, id8};
            SKERRY_TRY(txn_->put_outcome(device_.ix, *outcome));
            dirty_ = true;
            ++in_commit_;
        }
        verdicts_.push_back(std::move(*outcome));
        return {};
    }

    Result<Outcome> judge_in_savepoint(const wire::TxnHeader& header, BytesView payload) {
        const auto transaction = wire::get_transaction(payload, c_.backend.model(), nullptr);
        if (!transaction)
            return rejection(header.no, transaction.error().code, header.no, transaction.error().message);
        for (const wire::Op& op : transaction->ops) named_rows_.push_back({op.entity, op.key});
        SKERRY_ASSIGN(const std::int64_t begin, txn_->judging());
        SKERRY_TRY(txn_->savepoint());
        const JudgeContext context{*txn_, c_.backend.model(), principal_, profile_, device_.ix, device_.id, now_us(), begin};
        auto outcome = judge(context, *transaction);
        if (!outcome) {
            if (!is_refusal(outcome.error())) return outcome;
            outcome = rejection(header.no, outcome.error().code, header.no, outcome.error().message);
        }
        if (outcome->verdict == wire::Verdict::kRejected) {
            SKERRY_TRY(txn_->rollback_to());
        } else {
            SKERRY_TRY(txn_->release());
        }
        return outcome;
    }

    // Only what is committed is told.
    Result<void> commit() {
        if (dirty_) {
            SKERRY_TRY(txn_->put_device(device_));
            SKERRY_ASSIGN(const storage::Mark mark, c_.sequencer.sequence(*txn_));
            SKERRY_TRY(txn_->commit());
            c_.sequencer.committed(mark);
            for (const wire::Verdict verdict : judged_) ++c_.tally.transactions.at(static_cast<std::size_t>(verdict));
        }
        txn_.reset();
        std::move(verdicts_.begin(), verdicts_.end(), std::back_inserter(reply_.verdicts));
        verdicts_.clear();
        judged_.clear();
        return {};
    }

    std::int64_t now_us() const { return c_.clock.wall().count(); }

    const PushContext& c_;
    const access::Principal& principal_;
    std::string profile_;
    const Request& request_;
    std::unique_ptr<storage::WriteTxn> txn_;
    storage::DeviceRow device_;
    std::size_t in_commit_ = 0;
    bool dirty_ = false;
    std::vector<Outcome> verdicts_;  // of the open database transaction
    std::vector<wire::Verdict> judged_;  // those of them that are new
    std::vector<storage::KeyRef> named_rows_;  // by the transaction just judged
    PushReply reply_;
};

}  // namespace

Result<PushReply> push(const PushContext& context, const access::Principal& principal, BytesView body) {
    SKERRY_ASSIGN(const Request request, parse(body));
    SKERRY_TRY(access::same_model(context.backend, request.hello.model_hash));
    SKERRY_ASSIGN(std::string profile, scopes::profile_of(context.backend.model(), principal));
    Push push(context, principal, std::move(profile), request);
    return request.part ? push.run_part(*request.part) : push.run();
}

}  // namespace skerry::server::intake
