#include "server/http/lines.hpp"

#include "wire/json/answers.hpp"
#include "wire/json/requests.hpp"

namespace skerry::server::http {

namespace {

class LinesBody final : public Body {
  public:
    LinesBody(std::unique_ptr<Body> frames, wire::Kind kind, const model::Model& model, const DeviceId& device, Log& log)
        : frames_(std::move(frames)), lines_(kind, model, device), log_(log) {}

    // Until a line is whole: a host takes a piece without bytes for one that waits.
    Step next(Bytes& out) override {
        const std::size_t start = out.size();
        for (;;) {
            Bytes piece;
            const Step step = frames_->next(piece);
            if (const auto fed = lines_.feed(piece, out); !fed) {
                // Without an end line: who reads it sees that it was cut.
                log_.line(LogLevel::kError, "an answer has no form in JSON: " + fed.error().message);
                return Step::kEnd;
            }
            if (step != Step::kMore || out.size() > start) return step;
        }
    }

    std::optional<Micros> ask_again_at() const override { return frames_->ask_again_at(); }

  private:
    std::unique_ptr<Body> frames_;
    wire::json::AnswerLines lines_;
    Log& log_;
};

}  // namespace

Response in_lines(Response response, wire::Kind kind, const model::Model& model, const DeviceId& device, Log& log) {
    response.content_type = wire::json::kContentType;
    response.body = std::make_unique<LinesBody>(std::move(response.body), kind, model, device, log);
    return response;
}

}  // namespace skerry::server::http
