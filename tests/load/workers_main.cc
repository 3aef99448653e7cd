// Simulated workers that dial a real scheduler, several in one process: what
// load tests run instead of devices (--help).

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "common/program.h"
#include "common/status_macros.h"
#include "common/termination.h"
#include "common/version.h"
#include "glog/logging.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "tests/load/timed_worker.h"
#include "worker/rpc/scheduler_dialer.h"

ABSL_FLAG(std::string, scheduler, "127.0.0.1:50051",
          "HOST:PORT of the scheduler.");
ABSL_FLAG(int, workers, 1, "How many to run.");
ABSL_FLAG(absl::Duration, step_time, absl::Milliseconds(250),
          "What every step takes.");
ABSL_FLAG(int, max_sequences, 256, "Most sequences in one step of a worker.");
ABSL_FLAG(int, half_slots, 0,
          "Of each worker's pool; 0: 512 positions of KV for each of "
          "--max_sequences.");

namespace hybridserve {
namespace {

constexpr char kName[] = "timed_workers";
constexpr int kMaxMessageBytes = 64 << 20;
constexpr int kBlockTokens = 16;

absl::StatusOr<TimedWorkerOptions> OptionsFromFlags() {
  TimedWorkerOptions options;
  options.step_time = absl::GetFlag(FLAGS_step_time);
  options.max_sequences = absl::GetFlag(FLAGS_max_sequences);
  options.half_slots = absl::GetFlag(FLAGS_half_slots);
  if (absl::GetFlag(FLAGS_workers) < 1 || options.max_sequences < 1 ||
      options.half_slots < 0 || options.step_time <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        "--workers, --max_sequences, --step_time: must be positive");
  }
  options.max_step_tokens = 1024 + options.max_sequences;
  if (options.half_slots == 0) {
    options.half_slots = options.max_sequences * (512 / kBlockTokens) * 2;
  }
  return options;
}

// One worker and its connection.
class ConnectedWorker {
 public:
  explicit ConnectedWorker(const TimedWorkerOptions& options)
      : worker_(options) {
    grpc::ChannelArguments arguments;
    // A connection of its own, as the worker of another process has it.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
    arguments.SetMaxSendMessageSize(kMaxMessageBytes);
    SchedulerDialer::Options dialing;
    dialing.worker_name = options.name;
    dialing.model_name = options.model_name;
    dialing.build_id = BuildId();
    dialer_ = std::make_unique<SchedulerDialer>(
        grpc::CreateCustomChannel(absl::GetFlag(FLAGS_scheduler),
                                  grpc::InsecureChannelCredentials(),
                                  arguments),
        std::move(dialing));
    dialer_->Serve(worker_);
  }

  SchedulerDialer& dialer() { return *dialer_; }

 private:
  TimedWorker worker_;
  std::unique_ptr<SchedulerDialer> dialer_;  // Stops the worker, too.
};

int Main(int argc, char** argv) {
  InitProgram(argc, argv,
              {.name = kName,
               .text = "Runs workers without devices, whose steps take a set "
                       "time, for load tests of a scheduler.\n\n"
                       "  timed_workers --scheduler=127.0.0.1:50051 "
                       "--workers=4 --step_time=250ms"});
  absl::StatusOr<TimedWorkerOptions> options = OptionsFromFlags();
  if (!options.ok()) ExitWithUsageError(kName, options.status());

  // Outlives main(), as the signal thread does.
  static auto& stop = *new absl::Notification();
  HandleTermination([] { stop.Notify(); });
  std::vector<std::unique_ptr<ConnectedWorker>> workers;
  for (int i = 0; i < absl::GetFlag(FLAGS_workers); ++i) {
    options->name = absl::StrCat("timed/", i);
    workers.push_back(std::make_unique<ConnectedWorker>(*options));
  }
  for (const auto& worker : workers) {
    const absl::Status accepted =
        worker->dialer().WaitUntilAccepted(absl::InfiniteFuture());
    if (!accepted.ok()) return ReportFailure(kName, accepted);
  }
  std::cout << "ready" << std::endl;
  stop.WaitForNotification();
  return 0;
}

}  // namespace
}  // namespace hybridserve

int main(int argc, char** argv) { return hybridserve::Main(argc, argv); }
