#include "client/top/top_command.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "client/top/screen.h"
#include "client/top/top_json.h"
#include "client/top/top_text.h"
#include "client/top/top_view.h"
#include "common/clock.h"
#include "common/grpc_status.h"
#include "grpcpp/client_context.h"
#include "hybridserve/v1/control_service.grpc.pb.h"

namespace hybridserve {
namespace {

// Of a server that does not answer, for those who want one frame only.
constexpr absl::Duration kPatience = absl::Seconds(10);
// Of the second call of a frame, which says who loads: without an answer the
// frame is shown without them.
constexpr absl::Duration kInfoPatience = absl::Seconds(1);
// Two messages that arrive together say nothing about rates.
constexpr absl::Duration kShortest = absl::Milliseconds(1);

// Shows a frame for each two messages that follow each other.
class Frames {
 public:
  Frames(const TopOptions& options, bool is_terminal,
         v1::ControlService::Stub& stub, std::ostream& out)
      : options_(options), stub_(stub), out_(out) {
    if (options.format == OutputFormat::kText) {
      screen_.emplace(out, is_terminal && !options.once);
    }
  }

  // Whether there was one.
  bool Add(v1::Load load) {
    const absl::Time now = clock_.Now();
    const bool first = !before_.has_value();
    if (!first) {
      Show(MakeTopView(*before_, load, ServerInfo(),
                       std::max(now - before_time_, kShortest)));
    }
    before_ = std::move(load);
    before_time_ = now;
    return !first;
  }

 private:
  v1::GetServerInfoResponse ServerInfo() {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kInfoPatience));
    v1::GetServerInfoResponse info;
    const grpc::Status status = stub_.GetServerInfo(&context, {}, &info);
    return status.ok() ? info : v1::GetServerInfoResponse();
  }

  void Show(const TopView& view) {
    if (screen_.has_value()) {
      const ScreenSize size = StdoutSize();
      screen_->Show(DrawTop(view, options_.server, size.columns), size.rows);
    } else {
      out_ << TopToJson(view).dump() << std::endl;
    }
  }

  const TopOptions& options_;
  v1::ControlService::Stub& stub_;
  std::ostream& out_;
  std::optional<Screen> screen_;  // Unless JSON.
  const SystemClock clock_;
  std::optional<v1::Load> before_;
  absl::Time before_time_;
};

}  // namespace

absl::Status RunTop(const TopOptions& options,
                    std::shared_ptr<grpc::Channel> channel,
                    Interrupt& interrupt, bool is_terminal, std::ostream& out) {
  const auto stub = v1::ControlService::NewStub(std::move(channel));
  grpc::ClientContext context;
  if (options.once) {
    context.set_deadline(
        absl::ToChronoTime(absl::Now() + options.interval + kPatience));
  }
  std::atomic<bool> done = false;
  Interrupt::Scope scope(interrupt, [&] {
    done = true;
    context.TryCancel();
  });
  v1::WatchLoadRequest request;
  request.set_interval_ms(
      static_cast<uint32_t>(absl::ToInt64Milliseconds(options.interval)));
  const auto reader = stub->WatchLoad(&context, request);
  {
    // Gone, and the terminal restored, before an error is reported.
    Frames frames(options, is_terminal, *stub, out);
    v1::WatchLoadResponse response;
    while (reader->Read(&response)) {
      const bool shown = frames.Add(std::move(*response.mutable_load()));
      if (shown && options.once) {
        done = true;
        context.TryCancel();
        break;
      }
    }
  }
  const absl::Status status = FromGrpcStatus(reader->Finish());
  return done ? absl::OkStatus() : status;
}

}  // namespace hybridserve
