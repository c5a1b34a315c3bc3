#include "wire/json/requests.hpp"

#include "base/text.hpp"
#include "model/json.hpp"
#include "wire/check.hpp"
#include "wire/json/object.hpp"
#include "wire/json/transactions.hpp"
#include "wire/messages.hpp"

namespace skerry::wire::json {

namespace {

class Requests {
  public:
    Requests(Kind kind, const ReadOptions& options) : kind_(kind), options_(options) { put_header(request_.body, kind); }

    Result<Request> read(BytesView lines) {
        std::size_t number = 0;
        while (!lines.empty()) {
            ++number;
            const std::size_t end = std::min(lines.find('\n'), lines.size());
            const BytesView text = lines.substr(0, end);
            lines.remove_prefix(std::min(end + 1, lines.size()));
            if (text.find_first_not_of(" \t\r") == BytesView::npos) continue;
            SKERRY_TRY(line(text, "line " + std::to_string(number)));
            if (request_.body.size() > options_.bytes_max)
                return fail(Code::kLimitExceeded, "the request stands for more than " + with_commas(options_.bytes_max) + " bytes");
        }
        if (frames_ == 0) return fail(Code::kInvalidArgument, "the request has no line");
        put_empty(request_.body, FrameType::kEnd);
        return std::move(request_);
    }

  private:
    Result<void> line(BytesView text, std::string place) {
        SKERRY_ASSIGN(Object object, Object::read(text, std::move(place)));
        SKERRY_ASSIGN(const std::string frame, object.text("frame"));
        if (frames_ == 0) {
            SKERRY_TRY(head(object, frame));
        } else if (kind_ != Kind::kPushRequest || frame != "transaction") {
            return object.refuse("there is no frame " + quote_name(frame) + " here");
        } else {
            if (frames_ > kPushTxnsMax)
                return fail(Code::kLimitExceeded, "a push holds at most " + std::to_string(kPushTxnsMax) + " transactions");
            SKERRY_ASSIGN(const Transaction txn, read_transaction(object, options_.model));
            put(request_.body, txn);
        }
        ++frames_;
        return object.end();
    }

    Result<void> head(Object& object, std::string_view frame) {
        const bool belongs = (kind_ == Kind::kEnrollRequest && frame == "enroll") || (kind_ == Kind::kPushRequest && frame == "push") ||
                             (kind_ == Kind::kPullRequest && frame == "pull") || (kind_ == Kind::kCheckRequest && frame == "check");
        if (!belongs) return object.refuse("the request does not begin with a frame " + quote_name(frame) + " here");
        SKERRY_ASSIGN(request_.device, object.device("device"));
        if (request_.device.empty()) return object.refuse("a device needs an id that is not 0");
        if (kind_ == Kind::kEnrollRequest) return enroll(object);
        SKERRY_TRY(same_model(object));
        if (kind_ == Kind::kPushRequest) return push(object);
        return kind_ == Kind::kPullRequest ? pull(object) : check(object);
    }

    // Left out, the server's own is meant: whoever goes by names need not care which version that is.
    Result<void> same_model(Object& object) {
        if (!object.has("model_hash")) return {};
        SKERRY_ASSIGN(const std::string named, object.text("model_hash"));
        if (named != number_hex(options_.model_hash)) return fail(Code::kModelMismatch, "the device has another model than the server");
        return {};
    }

    Result<void> enroll(Object& object) {
        Enroll m;
        m.device = request_.device;
        SKERRY_ASSIGN(const auto name, object.text_if("name"));
        m.name = name.value_or("");
        if (m.name.size() > kDeviceNameMax)
            return fail(Code::kLimitExceeded, "the name of a device has at most " + std::to_string(kDeviceNameMax) + " bytes");
        put(request_.body, m);
        return {};
    }

    Result<void> push(Object& object) {
        PushHello m;
        m.device = request_.device;
        m.model_hash = options_.model_hash;
        SKERRY_ASSIGN(m.keep_from.value, object.number_if("keep_from"));
        put(request_.body, m);
        return {};
    }

    Result<void> pull(Object& object) {
        Pull m;
        m.device = request_.device;
        m.model_hash = options_.model_hash;
        SKERRY_ASSIGN(m.keep_from.value, object.number_if("keep_from"));
        SKERRY_ASSIGN(m.live, object.flag_if("live"));
        SKERRY_ASSIGN(m.verify, object.flag_if("verify"));
        SKERRY_ASSIGN(m.only_first, object.flag_if("only_first"));
        SKERRY_ASSIGN(const std::uint64_t slice_rows, object.number_if("slice_rows"));
        SKERRY_ASSIGN(const std::uint64_t slice_rows_max, object.number_if("slice_rows_max"));
        m.slice_rows = static_cast<std::uint32_t>(std::min<std::uint64_t>(slice_rows, kSliceRowsMax));
        m.slice_rows_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(slice_rows_max, kSliceRowsMax));
        SKERRY_ASSIGN(m.token, token(object));
        SKERRY_ASSIGN(const auto first, object.texts_if("first"));
        for (const std::string& name : first) {
            EntityIx ix;
            if (options_.model.find(name, &ix) == nullptr) return object.refuse("the model has no entity " + quote_name(name));
            m.first.push_back(ix);
        }
        if (m.first.size() > model::kEntitiesMax)
            return fail(Code::kLimitExceeded, "a pull names at most " + std::to_string(model::kEntitiesMax) + " entities");
        SKERRY_ASSIGN(m.chosen, chosen(object));
        SKERRY_ASSIGN(const auto repair, object.list_if("repair"));
        if (repair.size() > kRepairRangesMax)
            return fail(Code::kLimitExceeded, "a pull names at most " + std::to_string(kRepairRangesMax) + " ranges");
        for (const std::string& json : repair) {
            SKERRY_ASSIGN(Object one, Object::read(json, object.place() + ", range " + std::to_string(m.repair.size() + 1)));
            SKERRY_ASSIGN(KeyRange range, this->range(one));
            SKERRY_TRY(one.end());
            m.repair.push_back(std::move(range));
        }
        put(request_.body, m);
        return {};
    }

    Result<void> check(Object& object) {
        Check m;
        m.device = request_.device;
        m.model_hash = options_.model_hash;
        SKERRY_ASSIGN(m.token, token(object));
        SKERRY_ASSIGN(m.chosen, chosen(object));
        SKERRY_ASSIGN(const auto ranges, object.list_if("ranges"));
        if (ranges.size() > kCheckRangesMax)
            return fail(Code::kLimitExceeded, "a check names at most " + std::to_string(kCheckRangesMax) + " ranges");
        for (const std::string& json : ranges) {
            SKERRY_ASSIGN(Object one, Object::read(json, object.place() + ", range " + std::to_string(m.ranges.size() + 1)));
            CheckRange range;
            SKERRY_ASSIGN(range.range, this->range(one));
            SKERRY_ASSIGN(range.digest.count, one.number("count"));
            SKERRY_ASSIGN(const Bytes sum, one.hex("sum", 16));
            Reader in(sum);
            range.digest.low = in.u64();
            range.digest.high = in.u64();
            SKERRY_TRY(one.end());
            m.ranges.push_back(std::move(range));
        }
        put(request_.body, m);
        return {};
    }

    static Result<Bytes> token(Object& object) {
        if (!object.has("token")) return Bytes{};
        SKERRY_ASSIGN(Bytes token, object.base64("token"));
        if (token.size() > kTokenBytesMax) return fail(Code::kLimitExceeded, "a token has at most " + with_commas(kTokenBytesMax) + " bytes");
        return token;
    }

    static Result<std::vector<Chosen>> chosen(Object& object) {
        std::vector<Chosen> all;
        if (!object.has("chosen")) return all;
        SKERRY_ASSIGN(const std::string json, object.raw("chosen"));
        auto members = model::json_members(json);
        if (!members) return object.refuse("\"chosen\" is not an object of lists of text");
        const auto too_many = [] {
            return fail(Code::kLimitExceeded, "a request chooses at most " + std::to_string(kChosenMax) + " values of " +
                                                  std::to_string(model::kPrincipalValuesMax) + " names");
        };
        if (members->size() > model::kPrincipalValuesMax) return too_many();
        SKERRY_ASSIGN(Object lists, Object::read(json, object.place() + ", chosen"));
        std::size_t values = 0;
        for (const auto& member : *members) {
            Chosen& one = all.emplace_back();
            one.name = member.first;
            SKERRY_ASSIGN(one.values, lists.texts_if(one.name));
            values += one.values.size();
        }
        if (values > kChosenMax) return too_many();
        return all;
    }

    Result<KeyRange> range(Object& object) {
        KeyRange range;
        SKERRY_ASSIGN(range.entity, read_entity(object, options_.model));
        SKERRY_ASSIGN(const auto after, object.text_if("after"));
        range.after = after.value_or("");
        SKERRY_ASSIGN(range.upto, object.text_if("upto"));
        return range;
    }

    Kind kind_;
    const ReadOptions& options_;
    Request request_;
    std::size_t frames_ = 0;
};

}  // namespace

Result<Request> read_request(BytesView lines, Kind kind, const ReadOptions& options) { return Requests(kind, options).read(lines); }

}  // namespace skerry::wire::json
