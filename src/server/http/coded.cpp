#include "server/http/coded.hpp"

#include <algorithm>

namespace skerry::server::http {

namespace {

// Below it there is nothing to gain.
constexpr std::size_t kShort = 512;
// One frame of the coding. It is lost as a whole when the line breaks, so an answer begins with small ones that grow while
// they get through; large ones are worth it, because columns of many rows lie in them.
constexpr std::size_t kFrameFirst = 16u << 10;
constexpr std::size_t kFrameMost = 256u << 10;

class CodedBody final : public Body {
  public:
    CodedBody(std::unique_ptr<Body> plain, coding::Packer& packer) : plain_(std::move(plain)), packer_(packer) {}

    Step next(Bytes& out) override {
        Bytes piece;
        Step step = Step::kMore;
        while (step == Step::kMore && piece.size() < frame_) {
            const std::size_t before = piece.size();
            step = plain_->next(piece);
            if (piece.size() == before) break;
        }
        if (is_first_ && step == Step::kEnd && piece.size() < kShort) is_coded_ = false;
        is_first_ = false;
        if (!is_coded_) {
            out += piece;
            return step;
        }
        for (BytesView rest = piece; !rest.empty();) {
            const BytesView frame = rest.substr(0, frame_);
            packer_.pack(frame, out);
            rest.remove_prefix(frame.size());
            if (step == Step::kMore) frame_ = std::min(kFrameMost, frame_ * 2);
        }
        return step;
    }

    std::optional<Micros> ask_again_at() const override { return plain_->ask_again_at(); }
    std::string_view content_encoding() const override { return is_coded_ ? coding::kZstd : std::string_view{}; }

  private:
    std::unique_ptr<Body> plain_;
    coding::Packer& packer_;
    std::size_t frame_ = kFrameFirst;
    bool is_first_ = true;
    bool is_coded_ = true;
};

}  // namespace

Response coded(Response response, coding::Packer& packer) {
    if (response.body) response.body = std::make_unique<CodedBody>(std::move(response.body), packer);
    return response;
}

}  // namespace skerry::server::http
